"""One YAML file is one model: it loads, or it is refused with the file, the field and the reason."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTreeException

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.source import Quality
from ml_assets.pipeline.component import TYPES, ModelPipeline, ModelScaffolder, json_schema
from ml_assets_tests.conftest import ASSETS

DAILY = dg.DailyPartitionsDefinition("2025-01-01")
TYPE = "ml_assets.ModelPipeline"


def load(attributes: dict) -> ModelPipeline:
    return ModelPipeline.load(ModelSpec.model_validate(attributes), dg.ComponentTree.for_test().load_context)


def definitions(attributes: dict) -> dg.Definitions:
    component = load(attributes)
    no_resources = {
        name: dg.ResourceDefinition.none_resource()
        for name in ("lake", "landing", "registry", "tracking", "deploy_target")
    }
    return dg.Definitions.merge(
        component.build_defs(dg.ComponentTree.for_test().load_context), dg.Definitions(resources=no_resources)
    )


def test_a_model_has_nine_assets_one_job_and_one_schedule(small):
    defs = definitions(small)
    names = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert names == {f"small/{stage}" for stage in ASSETS}
    assert defs.resolve_job_def("small_daily").name == "small_daily"
    assert defs.resolve_schedule_def("small_daily").cron_schedule == "0 2 * * *"


def test_jobs_have_the_assets_of_the_model_and_no_others_under_its_name(small):
    @dg.asset(key=["small", "features_csv"], deps=[["small", "features"]], partitions_def=DAILY)
    def features_csv() -> None:
        pass

    jobs = dg.Definitions.merge(definitions(small), dg.Definitions(assets=[features_csv]))
    daily = jobs.resolve_job_def("small_daily")
    assert {key.to_user_string() for key in daily.asset_layer.selected_asset_keys} == {
        f"small/{stage}" for stage in ASSETS
    }
    assert daily.backfill_policy == definitions(small).resolve_job_def("small_daily").backfill_policy
    assert daily.backfill_policy is not None


def test_a_model_has_a_retention_job_only_if_its_specification_sets_retention(small):
    names = {job.name for job in definitions(small).resolve_all_job_defs()}
    assert {"small_daily", "small_features"} <= names
    assert "small_retention" not in names
    small["retention"] = {"replaced_files": "30d"}
    defs = definitions(small)
    assert defs.resolve_job_def("small_retention").description
    # As the webserver and the daemon load a code location.
    defs.get_repository_def().load_all_definitions()
    assert defs.resolve_schedule_def("small_retention").default_status == dg.DefaultScheduleStatus.RUNNING


def test_every_asset_has_a_description_owners_kinds_a_group_and_daily_partitions(small):
    small["owners"] = ["team:cards"]
    graph = definitions(small).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description
        assert node.owners == ["team:cards"]
        assert node.kinds
        assert node.group_name != "default"
        # The UI shows the first above the metadata, with the figures of a model.
        has_figures = key.path[-1] in ("trained_model", "evaluation", "model_registry_entry", "deployment")
        assert ("columns" if has_figures else "dagster/column_schema") in node.metadata
        assert node.partitions_def == dg.DailyPartitionsDefinition("2025-01-01", timezone="UTC")
        assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_assets_depend_on_the_days_that_their_windows_cover(small):
    graph = definitions(small).resolve_asset_graph()
    mapping = graph.get_partition_mapping(dg.AssetKey(["small", "features"]), dg.AssetKey(["small", "validated_data"]))
    assert isinstance(mapping, dg.TimeWindowPartitionMapping)
    assert (mapping.start_offset, mapping.end_offset) == (-1, 0)
    mapping = graph.get_partition_mapping(dg.AssetKey(["small", "trained_model"]), dg.AssetKey(["small", "features"]))
    assert isinstance(mapping, dg.TimeWindowPartitionMapping)
    # Label delay 2, holdout 2, label delay 2, window 4: from 9 to 6 days before.
    assert (mapping.start_offset, mapping.end_offset) == (-9, -6)


def test_only_training_requests_a_gpu_and_runs_in_the_pool_that_all_models_share(small):
    small["compute"] = {"cpu": 4, "memory": "8Gi", "gpu": 1}
    ops = [asset.op for asset in definitions(small).resolve_asset_graph().assets_defs]
    ops_with_gpu = {
        op.name
        for op in ops
        if "nvidia.com/gpu" in json.loads(op.tags["dagster-k8s/config"])["container_config"]["resources"]["limits"]
    }
    assert ops_with_gpu == {op.name for op in ops if op.pool == "gpu"} == {"small__trained_model"}


def test_without_gpus_training_runs_in_the_pool_of_its_model(small):
    small["compute"] = {"cpu": 4}
    assert {asset.op.pool for asset in definitions(small).resolve_asset_graph().assets_defs if asset.keys} == {"small"}


def test_every_job_and_every_step_is_tagged_with_the_settings_of_its_pod(small):
    small["retention"] = {"replaced_files": "30d"}
    defs = definitions(small)
    for job in (defs.resolve_job_def(f"small_{name}") for name in ("daily", "features", "freshness", "retention")):
        # A launch from Dagster's UI gives a run the tags of the job, and not its separate `run_tags`.
        assert job.tags == job.run_tags
        assert {"dagster-k8s/config", "dagster/max_runtime"} <= set(job.tags)
        assert all("dagster-k8s/config" in node.definition.tags for node in job.nodes), job.name


def test_the_days_of_a_run_can_be_limited(small):
    small["backfill"] = {"days_per_run": 31}
    graph = definitions(small).resolve_asset_graph()
    assert graph.get(dg.AssetKey(["small", "raw_data"])).backfill_policy == dg.BackfillPolicy.multi_run(31)


def test_every_step_runs_in_the_pool_of_its_model(small):
    assets = definitions(small).resolve_all_job_defs()[0].asset_layer.asset_graph.assets_defs
    pools = {op.name: op.pool for asset in assets for op in asset.node_def.iterate_op_defs()}
    # It only reads, and has to report a late day also while a backfill runs.
    assert pools.pop("small__validated_data_newest_day_on_time") is None
    assert set(pools.values()) == {"small"}


def test_each_gate_is_a_check(small):
    small["gates"] = {"roc_auc": {"minimum": 0.9}, "log_loss": {"maximum": 0.1}}
    checks = {key.name for key in definitions(small).resolve_asset_graph().asset_check_keys}
    assert {name for name in checks if name.startswith("gate_")} == {"gate_roc_auc", "gate_log_loss"}


def test_each_column_of_rows_and_labels_has_a_check_that_blocks_if_the_specification_says_so(small):
    small["columns"]["amount"]["blocking"] = True
    small["labels"] = {"files": "labels/{day}/*", "key": ["id"], "known_at": "at"}
    small["checks"] = {"files_read": None}
    graph = definitions(small).resolve_asset_graph()
    checks = {
        key.to_user_string(): graph.get_check_spec(key).blocking
        for key in graph.asset_check_keys
        if key.name.startswith(("contract", "files"))
    }
    columns = ["row_key", "id", "event_time", "card", "amount"]
    row_checks = {f"small/validated_data:contract_{name}": name == "amount" for name in columns}
    label_checks = {f"small/validated_labels:contract_{name}": False for name in ("row_key", "id", "label", "known_at")}
    assert checks == row_checks | label_checks


def load_project(tmp_path: Path, name: str, content: str) -> dg.Definitions:
    """Load the definitions of a project in `tmp_path` with one defs.yaml."""
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{name}"\n'
    )
    folder = tmp_path / name / "defs" / "model"
    folder.mkdir(parents=True, exist_ok=True)
    for package in (tmp_path / name, tmp_path / name / "defs"):
        (package / "__init__.py").touch()
    (folder / "defs.yaml").write_text(content)
    return dg.ComponentTree.for_project(tmp_path).build_defs(tmp_path / name / "defs")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("colour", "red", "colour"),
        ("label_delay", "soon", "not a duration"),
        ("target", "nothing", "there is no column nothing"),
        ("schedule", {"cron": "0 24 * * *"}, "schedule.cron: '0 24 * * *' is not a cron expression"),
    ],
)
def test_a_wrong_file_is_refused_with_file_field_and_reason(small, tmp_path, monkeypatch, path, value, message):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"wrong_{path}"
    with pytest.raises(ComponentTreeException) as refused:
        load_project(tmp_path, name, yaml.safe_dump({"type": TYPE, "attributes": {**small, path: value}}))
    text = f"{refused.value}\n{refused.value.__cause__}"
    assert "defs.yaml" in text
    assert message in text


@pytest.mark.parametrize("type_name", TYPES)
def test_a_file_may_name_the_component_by_its_exported_name_or_its_module(small, tmp_path, monkeypatch, type_name):
    monkeypatch.syspath_prepend(tmp_path)
    loaded = load_project(
        tmp_path, f"named_{type_name.count('.')}", yaml.safe_dump({"type": type_name, "attributes": small})
    )
    assert "small_daily" in {job.name for job in loaded.jobs or []}


def test_importing_the_package_loads_neither_dagster_nor_pandas():
    code = (
        "import sys, ml_assets; print({'dagster', 'pandas', 'ml_assets.pipeline'} & set(sys.modules), dir(ml_assets))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.startswith("set() ")
    assert "'ModelPipeline'" in output


def test_a_file_with_the_old_name_of_a_check_loads_with_a_warning(small, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    small["checks"] = {"no_leak": None, "accepted": {"2025-01-03": ["labels_on_time"]}}
    with pytest.warns(FutureWarning) as warned:
        load_project(tmp_path, "old_names", yaml.safe_dump({"type": TYPE, "attributes": small}))
    messages = [str(warning.message) for warning in warned if "is now called" in str(warning.message)]
    assert [message.partition(". ")[0] for message in messages] == [
        "small: checks.no_leak: the check no_leak is now called target_leakage",
        "small: checks.accepted.2025-01-03: the check labels_on_time is now called label_timeliness",
    ]
    checks = {key.name for key in definitions(small).resolve_asset_graph().asset_check_keys}
    assert "training_serving_skew" in checks
    assert not checks & {"target_leakage", "no_leak", "labels_on_time"}


def test_a_file_without_attributes_is_refused(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ComponentTreeException) as refused:
        load_project(tmp_path, "without_attributes", f"type: {TYPE}\n")
    assert "attributes are missing" in str(refused.value.__cause__)


def test_a_model_in_a_subfolder_gets_no_second_environment(tmp_path):
    def scaffold(path: str) -> None:
        target = tmp_path / "defs" / path
        request = dg.ScaffoldRequest(
            type_name=TYPE, target_path=target, scaffold_format="yaml", project_root=None, params=None
        )
        ModelScaffolder().scaffold(request)

    (tmp_path / "defs").mkdir()
    # A word is not a call.
    (tmp_path / "defs" / "conftest.py").write_text('"""Sets the environment of the tests; reads the lake."""')
    for path in ("teams/risk", "churn", "teams/fraud"):
        scaffold(path)
    (environment,) = tmp_path.rglob("ml_assets_environment.py")
    assert environment.parent == tmp_path / "defs"


def test_a_scaffolded_file_loads_and_is_named_after_its_folder(tmp_path):
    request = dg.ScaffoldRequest(
        type_name=TYPE, target_path=tmp_path / "churn-risk", scaffold_format="yaml", project_root=None, params=None
    )
    ModelScaffolder().scaffold(request)
    content = yaml.safe_load((tmp_path / "churn-risk" / "defs.yaml").read_text())
    assert content["type"] == TYPE
    spec = ModelSpec.model_validate(content["attributes"])
    assert spec.name == "churn_risk"
    # The template shows what a feed with some invalid rows needs, with the defaults.
    assert content["attributes"]["quality"].keys() >= {"max_bad_share", "max_rule_share"}
    assert spec.quality == Quality()


def test_the_json_schema_accepts_a_valid_file_and_refuses_an_unknown_field(small):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    assert list(validator.iter_errors({"type": TYPE, "attributes": small})) == []
    assert list(validator.iter_errors({"type": TYPE, "attributes": {**small, "colour": "red"}}))
