"""One YAML file is one model: it loads, and what is wrong in it is refused with file, field and reason."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTreeException

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.component import TYPES, ModelPipeline, ModelScaffolder, json_schema
from ml_assets_tests.conftest import ASSETS

TYPE = "ml_assets.ModelPipeline"


def load(attributes: dict) -> ModelPipeline:
    return ModelPipeline.load(ModelSpec.model_validate(attributes), dg.ComponentTree.for_test().load_context)


def definitions(attributes: dict) -> dg.Definitions:
    component = load(attributes)
    nothing = {
        name: dg.ResourceDefinition.none_resource()
        for name in ("lake", "landing", "registry", "tracking", "deploy_target")
    }
    return dg.Definitions.merge(
        component.build_defs(dg.ComponentTree.for_test().load_context), dg.Definitions(resources=nothing)
    )


def test_a_model_has_nine_assets_one_job_and_one_schedule(small):
    defs = definitions(small)
    names = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert names == {f"small/{stage}" for stage in ASSETS}
    assert defs.resolve_job_def("small_daily").name == "small_daily"
    assert defs.resolve_schedule_def("small_daily").cron_schedule == "0 2 * * *"


def test_a_job_that_removes_is_there_only_where_the_specification_lets_anything_go(small):
    names = {job.name for job in definitions(small).resolve_all_job_defs()}
    assert {"small_daily", "small_features"} <= names
    assert "small_retention" not in names
    small["retention"] = {"replaced_files": "30d"}
    defs = definitions(small)
    assert defs.resolve_job_def("small_retention").description
    assert defs.resolve_schedule_def("small_retention").default_status == dg.DefaultScheduleStatus.RUNNING


def test_every_asset_says_what_it_is_who_owns_it_and_where_it_stands(small):
    small["owners"] = ["team:cards"]
    graph = definitions(small).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description
        assert node.owners == ["team:cards"]
        assert node.kinds
        assert node.group_name != "default"
        assert "dagster/column_schema" in node.metadata
        assert node.partitions_def == dg.DailyPartitionsDefinition("2025-01-01", timezone="UTC")
        assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_features_depend_on_the_days_that_their_windows_reach(small):
    graph = definitions(small).resolve_asset_graph()
    mapping = graph.get_partition_mapping(dg.AssetKey(["small", "features"]), dg.AssetKey(["small", "validated_data"]))
    assert isinstance(mapping, dg.TimeWindowPartitionMapping)
    assert (mapping.start_offset, mapping.end_offset) == (-1, 0)
    mapping = graph.get_partition_mapping(dg.AssetKey(["small", "trained_model"]), dg.AssetKey(["small", "features"]))
    assert isinstance(mapping, dg.TimeWindowPartitionMapping)
    # Label delay 2, holdout 2, label delay 2, window 4: from 9 to 6 days before.
    assert (mapping.start_offset, mapping.end_offset) == (-9, -6)


def test_only_training_asks_for_a_gpu_and_is_in_the_pool_that_all_models_share(small):
    small["compute"] = {"cpu": 4, "memory": "8Gi", "gpu": 1}
    ops = [asset.op for asset in definitions(small).resolve_asset_graph().assets_defs]
    asking = {
        op.name
        for op in ops
        if "nvidia.com/gpu" in json.loads(op.tags["dagster-k8s/config"])["container_config"]["resources"]["limits"]
    }
    assert asking == {op.name for op in ops if op.pool == "gpu"} == {"small__trained_model"}


def test_without_gpus_training_is_in_the_pool_of_its_model(small):
    small["compute"] = {"cpu": 4}
    assert {asset.op.pool for asset in definitions(small).resolve_asset_graph().assets_defs if asset.keys} == {"small"}


def test_every_job_and_every_step_says_what_its_pod_needs(small):
    small["retention"] = {"replaced_files": "30d"}
    defs = definitions(small)
    for job in (defs.resolve_job_def(f"small_{name}") for name in ("daily", "features", "freshness", "retention")):
        assert "dagster-k8s/config" in job.run_tags
        assert all("dagster-k8s/config" in node.definition.tags for node in job.nodes), job.name


def test_the_days_of_a_run_can_be_limited(small):
    small["backfill"] = {"days_per_run": 31}
    graph = definitions(small).resolve_asset_graph()
    assert graph.get(dg.AssetKey(["small", "raw_data"])).backfill_policy == dg.BackfillPolicy.multi_run(31)


def test_every_step_is_in_the_pool_of_its_model(small):
    assets = definitions(small).resolve_all_job_defs()[0].asset_layer.asset_graph.assets_defs
    pools = {op.name: op.pool for asset in assets for op in asset.node_def.iterate_op_defs()}
    # It only reads, and says that a day is late also while a backfill runs.
    assert pools.pop("small__validated_data_newest_day_on_time") is None
    assert set(pools.values()) == {"small"}


def test_each_gate_is_a_check(small):
    small["gates"] = {"roc_auc": {"minimum": 0.9}, "log_loss": {"maximum": 0.1}}
    checks = {key.name for key in definitions(small).resolve_asset_graph().asset_check_keys}
    assert {name for name in checks if name.startswith("gate_")} == {"gate_roc_auc", "gate_log_loss"}


def test_each_column_of_rows_and_labels_has_a_check_and_blocks_where_the_specification_says_so(small):
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
    of_rows = {f"small/validated_data:contract_{name}": name == "amount" for name in columns}
    of_labels = {f"small/validated_labels:contract_{name}": False for name in ("row_key", "id", "label", "known_at")}
    assert checks == of_rows | of_labels


def project(tmp_path: Path, name: str, content: str) -> dg.Definitions:
    """The definitions of a project in `tmp_path` with one defs.yaml."""
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{name}"\n'
    )
    folder = tmp_path / name / "defs" / "model"
    folder.mkdir(parents=True)
    for package in (tmp_path / name, tmp_path / name / "defs"):
        (package / "__init__.py").touch()
    (folder / "defs.yaml").write_text(content)
    return dg.ComponentTree.for_project(tmp_path).build_defs(tmp_path / name / "defs")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("colour", "red", "colour"),
        ("label_delay", "soon", "not a duration"),
        ("target", "nothing", "there is no column nothing"),
        ("schedule", {"cron": "0 24 * * *"}, "schedule.cron: '0 24 * * *' is not a cron expression"),
    ],
)
def test_a_wrong_file_is_refused_with_file_field_and_reason(small, tmp_path, monkeypatch, path, value, said):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"wrong_{path}"
    with pytest.raises(ComponentTreeException) as refused:
        project(tmp_path, name, yaml.safe_dump({"type": TYPE, "attributes": {**small, path: value}}))
    message = f"{refused.value}\n{refused.value.__cause__}"
    assert "defs.yaml" in message
    assert said in message


@pytest.mark.parametrize("type_name", TYPES)
def test_a_file_names_the_component_by_its_exported_name_or_by_its_module(small, tmp_path, monkeypatch, type_name):
    monkeypatch.syspath_prepend(tmp_path)
    loaded = project(
        tmp_path, f"named_{type_name.count('.')}", yaml.safe_dump({"type": type_name, "attributes": small})
    )
    assert "small_daily" in {job.name for job in loaded.jobs or []}


def test_importing_the_package_loads_neither_dagster_nor_pandas():
    code = (
        "import sys, ml_assets; print({'dagster', 'pandas', 'ml_assets.pipeline'} & set(sys.modules), dir(ml_assets))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.startswith("set() ")
    assert "'ModelPipeline'" in shown


def test_a_file_with_the_old_name_of_a_check_loads_with_a_warning(small, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    small["checks"] = {"no_leak": None, "accepted": {"2025-01-03": ["labels_on_time"]}}
    with pytest.warns(FutureWarning) as warned:
        project(tmp_path, "old_names", yaml.safe_dump({"type": TYPE, "attributes": small}))
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
        project(tmp_path, "without_attributes", f"type: {TYPE}\n")
    assert "attributes are missing" in str(refused.value.__cause__)


def test_a_scaffolded_file_loads_and_is_named_for_its_folder(tmp_path):
    request = dg.ScaffoldRequest(
        type_name=TYPE, target_path=tmp_path / "churn-risk", scaffold_format="yaml", project_root=None, params=None
    )
    ModelScaffolder().scaffold(request)
    content = yaml.safe_load((tmp_path / "churn-risk" / "defs.yaml").read_text())
    assert content["type"] == TYPE
    assert ModelSpec.model_validate(content["attributes"]).name == "churn_risk"


def test_the_schema_for_editors_accepts_what_loads_and_refuses_what_does_not(small):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    assert list(validator.iter_errors({"type": TYPE, "attributes": small})) == []
    assert list(validator.iter_errors({"type": TYPE, "attributes": {**small, "colour": "red"}}))
