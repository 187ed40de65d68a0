"""Every model of a folder is loaded by itself: a broken one is shown as broken, and the others are complete."""

import logging
import sys

import dagster as dg
import pytest
import yaml

import ml_assets.definitions as entry_point
from ml_assets.pipeline.code_location.broken_model import broken_model, problems_of
from ml_assets.pipeline.code_location.folder_definitions import Folder
from ml_assets_tests.conftest import SMALL

TYPE = "ml_assets.ModelPipeline"


def specification(**changes):
    return yaml.safe_dump({"type": TYPE, "attributes": {**SMALL, **changes}})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package with the healthy model `small`, and a Python file with a schedule."""
    package = tmp_path / "models_of_a_test"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "environment.py").write_text(
        "import dagster as dg\n\n@dg.definitions\ndef environment():\n"
        "    names = ('lake', 'landing', 'registry', 'tracking', 'deploy_target')\n"
        "    return dg.Definitions(resources={n: dg.ResourceDefinition.none_resource() for n in names})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    add(package, "small", specification())
    yield Folder(package, "models_of_a_test", tmp_path, required=("environment",))
    for name in [name for name in sys.modules if name.startswith("models_of_a_test")]:
        del sys.modules[name]


def add(package, name, content):
    (package / name).mkdir()
    (package / name / "defs.yaml").write_text(content)


def merged(folder):
    loaded, problems = folder.load()
    return dg.Definitions.merge(*loaded, *(broken_model(*item) for item in problems.items())), problems


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a: [", "defs.yaml:2: this is not valid YAML"),
        (specification(name="broken", target="x"), "target: there is no column x"),
        (specification(name="broken", schedule={"cron": "61 * * * *"}), "cron"),
        (specification(), "name: small is also the name of the model in .*small/defs.yaml"),
        (f"type: {TYPE}x\nattributes: {{}}", "defs.yaml:1: .*ModelPipelinex"),
        ("type: ml_assets.nowhere.Component", "defs.yaml:1: .*ml_assets.nowhere"),
        (f"type: {TYPE}", "attributes are missing"),
        ("- a", "must be a mapping"),
        (specification(name="broken") + "\npost_processing: {assets: [{target: 'key:', x: 1}]}", "defs.yaml:1: "),
    ],
)
def test_a_broken_model_is_an_asset_that_says_why_and_the_others_are_complete(folder, content, reason):
    alone = {key.to_user_string() for key in merged(folder)[0].resolve_asset_graph().get_all_asset_keys()}
    add(folder.path, "broken", content)
    definitions, problems = merged(folder)
    graph = definitions.resolve_asset_graph()
    key = dg.AssetKey(["broken", "specification"])
    assert {name.to_user_string() for name in graph.get_all_asset_keys()} == {*alone, "broken/specification"}
    node = graph.get(key)
    assert (node.partitions_def, node.group_name) == (None, "broken")
    repository = definitions.get_repository_def()
    assert {"small_daily", "small_freshness"} <= {schedule.name for schedule in repository.schedule_defs}
    assert {sensor.name for sensor in repository.sensor_defs} == {"small_arrivals", "small_live_after_failure"}
    assert problems_of(repository) == problems
    assert list(problems) == ["broken"]
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(problems["broken"])
    assert problems["broken"] in (node.description or "")


def test_each_document_of_a_file_is_loaded_by_itself(folder):
    broken = specification(name="third", target="x")
    late = specification(name="fourth", schedule={"cron": "61 * * * *"})
    good = specification(name="second") + "\nrequirements: {env: [HOME]}\n"
    add(folder.path, "several", "\n---\n".join([specification(name="first"), broken, late, good]))
    definitions, problems = merged(folder)
    models = {key.path[0] for key in definitions.resolve_asset_graph().get_all_asset_keys() if "raw_data" in key.path}
    assert models == {"small", "first", "second"}
    assert set(problems) == {"third", "fourth"}
    assert "target: there is no column x" in problems["third"]
    before = (specification(name="first") + broken).count("\n") + 4
    line = before + next(number for number, text in enumerate(late.splitlines(), 1) if "61 *" in text)
    assert problems["fourth"].startswith(f"{folder.path}/several/defs.yaml:{line}: schedule.cron: ")


def test_problems_come_in_the_order_of_files_and_lines(folder):
    late = specification(name="late", schedule={"cron": "61 * * * *"})
    add(folder.path, "b", specification(name="third", target="x"))
    add(folder.path, "a", "---\n".join([late, specification(name="second", target="x")]))
    add(folder.path, "c", "a: [")
    (folder.path / "ab.py").write_text("raise RuntimeError('no network')")
    assert list(merged(folder)[1]) == ["late", "second", "ab", "third", "c"]


def test_broken_files_in_folders_of_the_same_name_are_all_named(folder):
    for parent in ("a", "b"):
        (folder.path / parent).mkdir()
        add(folder.path / parent, "broken", "a: [")
    problems = merged(folder)[1]
    assert list(problems) == ["broken"]
    assert [line.partition(":")[0] for line in problems["broken"].splitlines()] == [
        f"{folder.path}/{parent}/broken/defs.yaml" for parent in ("a", "b")
    ]


@pytest.mark.parametrize("content", ["[" * 100_000, "a: &a [*a]", "a: !!bool maybe", "a: 1\nb: \0", "# nothing"])
def test_a_file_that_no_parser_survives_is_a_broken_model(folder, content):
    add(folder.path, "broken", content)
    definitions, problems = merged(folder)
    assert list(problems) == ["broken"]
    assert f"{folder.path}/broken/defs.yaml:" in problems["broken"]
    assert dg.AssetKey(["small", "raw_data"]) in definitions.resolve_asset_graph().get_all_asset_keys()


def test_an_asset_names_the_line_of_its_model(folder):
    add(folder.path, "several", specification(name="first") + "---\n" + specification(name="second"))
    node = merged(folder)[0].resolve_asset_graph().get(dg.AssetKey(["second", "raw_data"]))
    (reference,) = node.metadata["dagster/code_references"].code_references
    assert reference.file_path == str(folder.path / "several" / "defs.yaml")
    assert reference.line_number == specification(name="first").count("\n") + 2


def test_the_check_of_a_broken_model_fails_with_the_reason(folder):
    definitions = broken_model("broken", "defs.yaml:3: target: there is no column x")
    job = dg.Definitions.merge(
        definitions,
        dg.Definitions(jobs=[dg.define_asset_job("check", dg.AssetSelection.all_asset_checks())]),
    ).resolve_job_def("check")
    result = job.execute_in_process(raise_on_error=False)
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.description) == (False, "defs.yaml:3: target: there is no column x")


def test_a_folder_need_not_have_a_name_that_python_can_import(folder):
    add(folder.path, "card fraud.v2", specification(name="cards"))
    keys = merged(folder)[0].resolve_asset_graph().get_all_asset_keys()
    assert dg.AssetKey(["cards", "raw_data"]) in keys


def test_a_python_file_that_fails_takes_no_model_with_it_but_the_environment_does(folder):
    (folder.path / "extra.py").write_text("raise RuntimeError('no network')")
    (folder.path / "good.py").write_text("import dagster as dg\n\n@dg.asset\ndef good(): ...\n")
    definitions, problems = merged(folder)
    assert dg.AssetKey(["good"]) in definitions.resolve_asset_graph().get_all_asset_keys()
    assert "RuntimeError: no network" in problems["extra"]
    (folder.path / "environment.py").write_text("raise ValueError('ML_ASSETS_LAKE is missing')")
    sys.modules.pop("models_of_a_test.environment")
    with pytest.raises(ValueError, match="ML_ASSETS_LAKE is missing"):
        folder.load()


def test_a_broken_model_is_logged_when_it_is_loaded_and_refused_when_it_is_validated(folder, monkeypatch, caplog):
    add(folder.path, "broken", specification(name="broken", target="x"))
    monkeypatch.setattr(entry_point, "load_folder", folder.load)
    with caplog.at_level(logging.ERROR):
        entry_point.defs()
    assert "broken is not loaded: " in caplog.text
    assert "target: there is no column x" in caplog.text
    monkeypatch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")
    with pytest.raises(entry_point.BrokenDefinitions, match=r"broken/defs.yaml:\d+: target: there is no column x"):
        entry_point.defs()
