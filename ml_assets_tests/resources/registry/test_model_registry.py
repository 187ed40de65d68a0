import json
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from mlflow.models import Model

from ml_assets.core.model.scorer import Scorer
from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.tracking import ExperimentTracking, TrackedRun
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.registry.version_description import code_commit, description
from ml_assets_tests.resources.mlflow.mlflow_cases import (
    PNG,
    artifacts,
    context,
    features,
    new_store,
    record,
    record_with_many_metrics,
    register_at_once,
)
from ml_assets_tests.resources.mlflow.mlflow_requests import count_mlflow_requests
from ml_assets_tests.support.forkserver import CONTEXT


@pytest.fixture
def uri(tmp_path):
    return new_store(tmp_path)


@pytest.fixture
def registry(uri):
    return ModelRegistry(tracking_uri=uri)


@pytest.fixture
def run(uri):
    with ExperimentTracking(tracking_uri=uri).run(context(), "fraud") as run:
        yield run


def digests(uri):
    """Return the digest of every version, by version."""
    return {
        int(version.version): version.tags["model_digest"]
        for version in connect(uri).search_model_versions("name = 'fraud'")
    }


def run_names(uri):
    client = connect(uri)
    return sorted(
        run.info.run_name
        for run in client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    )


def bare_version(uri, digest, day="2025-03-01", run_id=None):
    """Create a version without everything that follows its creation, as a dead process leaves it."""
    client = connect(uri)
    if not client.search_registered_models("name = 'fraud'"):
        client.create_registered_model("fraud")
    return int(
        client.create_model_version(
            "fraud", "file:///nowhere", run_id, {"model_digest": digest, "day": day}, await_creation_for=0
        ).version
    )


def test_a_model_is_registered_with_its_complete_record(registry, run, uri):
    done = registry.register(run, record())
    client = connect(uri)
    logged, version = client.get_run(done.run_id), client.get_model_version("fraud", str(done.version))
    assert (done.version, done.created, version.run_id, logged.info.status) == (1, True, done.run_id, "FINISHED")
    assert version.tags == {
        "day": "2025-03-01",
        "model_digest": "a1",
        "gates": "passed",
        "evaluation_fingerprint": "00ff",
        "metrics_not_finite": "lift, precision",
        "dagster_run_id": "run-1",
    }
    assert logged.data.params == {"eta": "0.1", "rounds": "8"}
    assert logged.data.metrics == {"roc_auc": 0.9}
    assert logged.data.tags["model_digest"] == "a1"
    assert logged.data.tags["metrics_not_finite"] == "lift, precision"
    assert [artifact.path for artifact in client.list_artifacts(done.run_id, "plots")] == ["plots/roc.png"]
    (model,) = client.search_logged_models([logged.info.experiment_id])
    assert (model.source_run_id, str(model.status), model.artifact_location) == (done.run_id, "READY", version.source)
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": "fraud", "version": 1}]
    assert [(metric.key, metric.value) for metric in model.metrics or []] == [("roc_auc", 0.9)]


def test_a_registration_asks_little_of_the_store_however_many_versions_there_are(registry, run):
    registry.register(run, record("first"))
    counts = []
    for number in range(3):
        with count_mlflow_requests() as requests:
            registry.register(run, record(f"model-{number}"))
        counts.append(requests)
    assert counts[0] == counts[2]
    assert counts[2]["statements"] <= 91
    assert counts[2]["commits"] <= 19
    names = ("search_model_versions", "create_registered_model", "get_registered_model", "log_batch")
    assert {name: counts[2][name] for name in names} == dict(zip(names, (0, 0, 0, 1), strict=True))


def test_registering_again_returns_the_same_version_and_logs_nothing(registry, run, uri):
    first = registry.register(run, record())
    before = run_names(uri)
    with ExperimentTracking(tracking_uri=uri).run(context("run-2"), "fraud") as later:
        second = registry.register(later, record(params={"eta": 9}))
    assert (second.version, second.run_id, second.created) == (first.version, first.run_id, False)
    assert run_names(uri) == before
    assert digests(uri) == {1: "a1"}


def test_each_digest_has_its_own_version(registry, run, uri):
    versions = [registry.register(run, record(digest)).version for digest in ("a1", "b2", "a1")]
    assert versions == [1, 2, 1]
    assert registry.registered("fraud") == {"a1": 1, "b2": 2}
    assert registry.registered("other") == {}


def test_more_parameters_than_fit_into_one_request_are_all_logged(registry, run, uri):
    many = {f"p{i}": i for i in range(230)}
    done = registry.register(run, record(params=many, metrics={f"m{i}": float(i) for i in range(230)}))
    data = connect(uri).get_run(done.run_id).data
    assert (len(data.params), len(data.metrics)) == (230, 230)


def test_a_second_version_of_a_dead_process_is_removed_and_its_alias_kept(registry, run, uri):
    assert [bare_version(uri, "a1"), bare_version(uri, "b2"), bare_version(uri, "a1")] == [1, 2, 3]
    connect(uri).set_registered_model_alias("fraud", "champion", "3")
    assert registry.registered("fraud")["a1"] == 1
    assert registry.register(run, record("a1")).version == 1
    assert digests(uri) == {1: "a1", 2: "b2"}
    assert registry.alias_version("fraud", "champion") == 1


def test_a_version_whose_process_died_right_after_its_creation_is_completed(registry, run, uri, monkeypatch, caplog):
    create = ModelRegistry._create_version

    def die(self, *args):
        create(self, *args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ModelRegistry, "_create_version", die)
        patch.setattr(TrackedRun, "_end_after_failure", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            registry.register(run, record())
    client = connect(uri)
    (unfinished,) = client.search_model_versions("name = 'fraud'")
    assert client.get_run(unfinished.run_id).info.status == "RUNNING"
    done = registry.register(run, record())
    assert (done.version, done.run_id, done.created) == (1, unfinished.run_id, False)
    assert client.get_run(unfinished.run_id).info.status == "FINISHED"
    (logged,) = client.search_logged_models([run.experiment_id])
    assert json.loads(logged.tags["mlflow.modelVersions"]) == [{"name": "fraud", "version": 1}]
    assert "created by a process that died right after" in caplog.text


def test_of_two_concurrent_versions_the_later_one_is_deleted_with_its_run(registry, run, uri, monkeypatch):
    """Let another process create its version after this one has searched and before it creates its own."""
    create = ModelRegistry._create_version

    def late(self, *args):
        bare_version(uri, "a1")
        create(self, *args)

    monkeypatch.setattr(ModelRegistry, "_create_version", late)
    done = registry.register(run, record())
    assert (done.version, done.created) == (1, False)
    assert digests(uri) == {1: "a1"}
    assert run_names(uri) == ["some_job"]
    assert list(connect(uri).search_logged_models([run.experiment_id])) == []


def test_a_model_that_cannot_score_is_not_registered(registry, run, uri):
    with pytest.raises(Exception, match="amount"):
        registry.register(run, record(example=features(3).drop(columns="amount")))
    assert "a1" not in registry.registered("fraud")
    assert registry.register(run, record()).version == 1


@pytest.mark.parametrize(
    "changes", [{"name": "fraud' or name != '"}, {"name": ""}, {"digest": "a' or '"}, {"digest": "a" * 200}]
)
def test_names_and_digests_that_could_change_the_search_are_refused(registry, run, changes):
    with pytest.raises(ValueError, match="must be at most 128 letters, digits"):
        registry.register(run, record(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"artifacts": {"model.ubj": b""}},
            r"artifacts of fraud: must be model.ubj, preprocessing.json, passport.json, not model.ubj",
        ),
        ({"example": features(0)}, "example of fraud: must have a row"),
        ({"plots": {"../roc.png": PNG}}, r"plots of fraud: '../roc.png' must be a file name"),
    ],
)
def test_an_incomplete_record_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        record(**changes)


def test_the_description_of_version_and_run_says_where_everything_is(uri, run):
    registry = ModelRegistry(tracking_uri=uri, dagster_ui="http://dagster:3000")
    provenance = json.dumps({"landed_objects": [{}, {}], "days": {"features": {"2025-02-01": "1"}}}).encode()
    described = record(
        artifacts={**artifacts(), "passport.json": provenance}, lake="s3://lake", lake_folder="fraud/models/a1"
    )
    done = registry.register(run, described)
    client = connect(uri)
    text_of_version = client.get_model_version("fraud", str(done.version)).description or ""
    assert text_of_version.startswith("**fraud** of 2025-03-01\n")
    for text in (
        "| digest | `a1` |",
        "`passport.json` among the artifacts of the model: 2 landed objects with their digests, and the fingerprints "
        "of 1 day",
        "`s3://lake/fraud/models/a1`",
        "[2025-03-01](http://dagster:3000/assets/fraud/evaluation?partition=2025-03-01), fingerprint `00ff`",
        "[run-1](http://dagster:3000/runs/run-1)",
        "`s3://lake/fraud/reports/2025-03-01.html`",
        "`s3://lake/fraud/release_ledger`",
    ):
        assert text in text_of_version
    picture = f"![roc](get-artifact?path=plots%2Froc.png&run_uuid={done.run_id})\n\n"
    assert text_of_version.index(picture) < text_of_version.index("| digest |")
    tags = client.get_run(done.run_id).data.tags
    # The page of a run has the plots in a tab of its own.
    assert tags["mlflow.note.content"] == text_of_version.replace(picture, "\n")
    commit = code_commit()
    assert tags.get("mlflow.source.git.commit") == commit
    assert (f"| code | commit `{commit}` |" in text_of_version) == (commit is not None)


def test_a_version_shows_period_metrics_and_gates_first_and_has_few_tags(registry, run, uri):
    period = {"fit_first": "2025-01-01", "validation_last": "2025-02-01", "rows": 1200, "positives": 30}
    tags = {"gates": "passed", "gate_roc_auc": "at least 0.8", "gate_champion": "no champion yet"}
    registry.register(run, record(params=period, metrics={"roc_auc": 0.91234}, tags=tags, about="Fraud on cards."))
    client = connect(uri)
    version = client.get_model_version("fraud", "1")
    lines = (version.description or "").splitlines()
    assert lines[2] == "Trained on 2025-01-01 to 2025-02-01: 1,200 rows, 30 positive."
    assert "| roc_auc | 0.9123 | at least 0.8 |" in lines
    assert "Gate champion: no champion yet." in lines
    assert lines.index("| roc_auc | 0.9123 | at least 0.8 |") < lines.index("| digest | `a1` |")
    assert not [name for name in version.tags if name.startswith("gate_")]
    assert client.get_registered_model("fraud").description == "Fraud on cards."


def test_a_description_with_many_metrics_and_gates_is_no_longer_than_a_server_stores():
    text = description(record_with_many_metrics(), "run-1", "http://dagster:3000", None, "run-2")
    assert 4000 < len(text) <= 5000
    assert "| precision_of_class_0 | 0.5 | precision_of_class_0 0.5 is at least 0.4 |" in text
    assert re.search(r"^\| 1\d\d more \| \| among the metrics of the run \|$", text, re.MULTILINE)
    assert re.search(r"^\d\d more gates are in `report.html`.$", text, re.MULTILINE)
    assert text.splitlines()[-1].startswith("| releases | ")


def test_the_description_of_a_version_follows_a_new_evaluation_unless_a_person_wrote_it(registry, run, uri):
    registry.register(run, record())
    client = connect(uri)
    before = client.get_model_version("fraud", "1").description or ""
    registry.register(run, record(tags={"evaluation_fingerprint": "11ee"}))
    assert client.get_model_version("fraud", "1").description == before.replace("00ff", "11ee")
    client.update_model_version("fraud", "1", "by hand")
    registry.register(run, record())
    assert client.get_model_version("fraud", "1").description == "by hand"


def test_a_version_has_a_url_if_the_registry_is_a_server():
    server = ModelRegistry(tracking_uri="https://me:secret@mlflow.example/")
    assert server.version_url("fraud", 3) == "https://mlflow.example/#/models/fraud/versions/3"
    assert ModelRegistry(tracking_uri="sqlite:////data/mlflow.db").version_url("fraud", 3) is None


def test_an_alias_that_does_not_exist_has_no_version(registry, uri):
    bare_version(uri, "a1")
    assert registry.alias_version("fraud", "champion") is None
    assert registry.alias_version("unknown", "champion") is None


LOAD_ELSEWHERE = """
import importlib.abc, json, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("ml_assets", "dagster"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/fraud/1")
rows = pd.read_parquet("rows.parquet")
model.predict(rows).to_parquet("predicted.parquet")
print(json.dumps(sorted(name for name in sys.modules if name.split(".")[0] == "ml_assets")))
"""


@pytest.mark.slow
def test_the_registered_model_scores_alike_outside_this_project(registry, run, uri, tmp_path):
    registry.register(run, record())
    elsewhere, rows = tmp_path / "elsewhere", features(500, seed=7)
    elsewhere.mkdir()
    rows.loc[3, "category"] = "never seen"
    rows.loc[4, "category"] = None
    rows.index += 10
    rows.to_parquet(elsewhere / "rows.parquet")
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOAD_ELSEWHERE, uri], cwd=elsewhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
    predicted = pd.read_parquet(elsewhere / "predicted.parquet")
    scorer = Scorer.from_bytes(artifacts()["model.ubj"], artifacts()["preprocessing.json"])
    expected = scorer.score(rows)
    assert predicted.index.equals(rows.index)
    assert np.array_equal(predicted["score"].to_numpy(), expected)
    assert predicted["score"].dtype == expected.dtype
    assert np.array_equal(predicted["decision"].to_numpy(), expected >= scorer.threshold)
    assert 0 < predicted["decision"].sum() < len(rows)


def test_nothing_is_pickled_and_the_model_states_its_requirements(registry, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'somewhere'\n")
    (tmp_path / "uv.lock").write_text("version = 1\n")
    registry.register(run, record())
    written = {path.name: path for path in (tmp_path / "mlartifacts").rglob("*") if path.is_file()}
    assert {
        "MLmodel",
        "model.ubj",
        "preprocessing.json",
        "passport.json",
        "scorer.py",
        "pyfunc.py",
        "input_example.json",
        "roc.png",
    } <= set(written)
    assert not {"pyproject.toml", "uv.lock"} & set(written)
    for name, path in written.items():
        assert path.suffix not in (".pkl", ".pickle", ".joblib", ".cloudpickle"), name
        assert path.read_bytes()[:2] not in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"), name
    needs = written["requirements.txt"].read_text().split()
    assert {f"{name}=={version(name)}" for name in ("numpy", "pandas", "xgboost")} <= set(needs)
    assert {requirement.split("==")[0] for requirement in needs} == {"mlflow", "numpy", "pandas", "xgboost"}
    model = Model.load(str(written["MLmodel"].parent))
    assert model.metadata == {"name": "fraud", "day": "2025-03-01", "model_digest": "a1"}
    assert model.signature.inputs.input_names() == list(features(1))
    assert model.signature.outputs.input_names() == ["score", "decision"]
    assert pd.DataFrame(**json.loads(written["input_example.json"].read_text())).shape == (3, 3)


@pytest.mark.slow
def test_categories_in_the_example_are_text_in_the_signature(registry, run, tmp_path):
    registry.register(run, record(example=features(3).astype({"category": "category"})))
    (folder,) = (tmp_path / "mlartifacts").glob("fraud/models/*/artifacts")
    assert Model.load(str(folder)).signature.inputs.input_types()[-1].name == "string"


@pytest.mark.slow
def test_processes_that_register_the_same_digests_concurrently_in_a_new_store_create_one_version_each(tmp_path):
    processes, uri = 4, f"sqlite:///{tmp_path}/new/mlflow.db"
    start, results = CONTEXT.Barrier(processes), CONTEXT.Queue()
    with ExitStack() as stack:
        for _ in range(processes):
            process = CONTEXT.Process(target=register_at_once, args=(uri, start, results))
            process.start()
            stack.callback(process.join)
        done = [results.get(timeout=100) for _ in range(processes)]
    assert not [result for result in done if isinstance(result, str)]
    final = digests(uri)
    assert sorted(final.values()) == ["a1", "b2"]
    for position, digest in enumerate(("a1", "b2")):
        answers = [result[position] for result in done]
        assert {(version, run_id) for version, run_id, _ in answers} == {(answers[0][0], answers[0][1])}
        assert final[answers[0][0]] == digest
        assert sum(created for *_, created in answers) == 1
    assert {path.name for path in (tmp_path / "new").glob("[!.]*")} == {"mlartifacts", "mlflow.db"}
    assert [name for name in run_names(uri) if name != "some_job"] == ["fraud 2025-03-01"] * 2


def test_reading_a_version_does_not_create_a_store(tmp_path):
    assert ModelRegistry(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db").registered("fraud") == {}
    assert list(tmp_path.iterdir()) == []


def test_the_run_of_a_version_that_somebody_deleted_is_restored_by_the_command_that_the_warning_names(
    registry, run, caplog
):
    version = registry.register(run, record())
    registry.client.delete_run(version.run_id)
    assert registry.register(run, record()).version == version.version
    ((store, command),) = re.findall(r"`MLFLOW_TRACKING_URI=(\S+) mlflow (.*?)`", caplog.text)
    from mlflow.cli import cli as mlflow_cli

    result = CliRunner().invoke(mlflow_cli, shlex.split(command), env={"MLFLOW_TRACKING_URI": store})
    assert result.exit_code == 0, result.output
    assert registry.client.get_run(version.run_id).info.lifecycle_stage == "active"
