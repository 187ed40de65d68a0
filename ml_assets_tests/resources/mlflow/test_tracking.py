import os

import dagster as dg
import mlflow
import pytest

from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets_tests.resources.mlflow.mlflow_cases import context, new_store


@pytest.fixture
def uri(tmp_path):
    return new_store(tmp_path)


@pytest.fixture
def tracking(uri):
    return ExperimentTracking(tracking_uri=uri)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    def state():
        settings = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW")}
        return mlflow.active_run(), mlflow.is_tracking_uri_set(), mlflow.get_tracking_uri(), settings

    before = state()
    yield
    assert state() == before


def all_runs(uri):
    client = connect(uri)
    return {
        run.info.run_id: run
        for run in client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    }


def test_a_block_that_logs_nothing_does_not_even_connect(tmp_path):
    with ExperimentTracking(tracking_uri=f"sqlite:///{tmp_path}/none.db").run(context(), "fraud") as run:
        assert run.dagster_run_id == "run-1"
    assert list(tmp_path.iterdir()) == []


def test_the_run_of_the_dagster_run_is_tagged_and_ends_as_finished(tracking, uri):
    with tracking.run(context("run-7"), "fraud") as run:
        run.mlflow.log_param("through", "dagster-mlflow")
        assert mlflow.active_run() is not None
    (only,) = all_runs(uri).values()
    assert (only.info.status, only.info.run_name) == ("FINISHED", "some_job")
    assert only.data.tags["dagster_run_id"] == "run-7"
    assert only.data.params == {"through": "dagster-mlflow"}


def test_a_block_that_raises_fails_its_runs_and_the_error_comes_through(tracking, uri):
    def fail():
        with tracking.run(context(), "fraud") as run:
            with run.nested("good", {}):
                pass
            with run.nested("bad", {}):
                raise KeyError("a fault of the code")

    with pytest.raises(KeyError, match="a fault of the code"):
        fail()
    assert {run.info.run_name: run.info.status for run in all_runs(uri).values()} == {
        "some_job": "FAILED",
        "good": "FINISHED",
        "bad": "FAILED",
    }


def test_an_interruption_kills_the_run(tracking, uri):
    def interrupted():
        with tracking.run(context(), "fraud") as run:
            run.client.search_experiments()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [run.info.status for run in all_runs(uri).values()] == ["KILLED"]


def test_the_error_of_the_block_comes_through_when_mlflow_is_gone(tracking, monkeypatch):
    def unreachable(*_):
        raise ConnectionError("gone")

    def fail():
        with tracking.run(context(), "fraud") as run:
            run.client.search_experiments()
            monkeypatch.setattr("mlflow.MlflowClient.set_terminated", unreachable)
            raise KeyError("a fault of the code")

    with pytest.raises(KeyError, match="a fault of the code"):
        fail()


def test_the_steps_of_a_dagster_run_share_one_run_and_nested_runs_are_in_it(tracking, uri):
    for step in ("first", "second"):
        with (
            tracking.run(context("run-1"), "fraud") as run,
            run.nested(step, {"dagster_run_id": "run-1", "kept": "yes"}),
        ):
            pass
    with tracking.run(context("run-2"), "fraud") as run, run.nested("third", {}):
        pass
    runs = all_runs(uri)
    parents = {
        run.data.tags["dagster_run_id"]: run_id for run_id, run in runs.items() if run.info.run_name == "some_job"
    }
    nested = {run.info.run_name: run.data.tags for run in runs.values() if run.info.run_name != "some_job"}
    assert len(runs) == 5
    assert {name: tags["mlflow.parentRunId"] for name, tags in nested.items()} == {
        "first": parents["run-1"],
        "second": parents["run-1"],
        "third": parents["run-2"],
    }
    assert nested["second"]["kept"] == "yes"


def test_runs_that_the_block_leaves_open_are_ended(tracking, uri):
    with tracking.run(context(), "fraud") as run:
        run.mlflow.start_run(run_name="left open", nested=True)
    assert {run.info.status for run in all_runs(uri).values()} == {"FINISHED"}


def test_a_run_that_the_block_has_ended_early_still_gets_the_right_status(tracking, uri):
    def fail():
        with tracking.run(context(), "fraud") as run:
            run.mlflow.end_run()
            raise KeyError("later")

    with pytest.raises(KeyError, match="later"):
        fail()
    assert [run.info.status for run in all_runs(uri).values()] == ["FAILED"]


def test_a_foreign_active_run_is_refused_and_not_changed(tracking, uri, tmp_path):
    (tmp_path / "foreign").mkdir()
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(new_store(tmp_path / "foreign"))
    try:
        foreign = mlflow.start_run()
        with (
            tracking.run(context(), "fraud") as run,
            pytest.raises(RuntimeError, match=f"MLflow run {foreign.info.run_id} is active"),
        ):
            run.client  # noqa: B018
        assert mlflow.active_run() is foreign
    finally:
        mlflow.end_run()
        mlflow.set_tracking_uri(before)
    assert all_runs(uri) == {}


def test_artifacts_of_a_new_experiment_go_beside_a_sqlite_store_or_to_the_artifact_root(tracking, uri, tmp_path):
    elsewhere = ExperimentTracking(tracking_uri=uri, artifact_root=f"file://{tmp_path}/elsewhere/")
    for resource, experiment in [(tracking, "beside"), (elsewhere, "told")]:
        with resource.run(context(), experiment) as run, run.nested("one", {}) as run_log:
            run_log.client.log_text(run_log.run_id, "content", "note.txt")
    assert [path.read_text() for path in tmp_path.glob("mlartifacts/beside/*/artifacts/note.txt")] == ["content"]
    assert [path.read_text() for path in tmp_path.glob("elsewhere/told/*/artifacts/note.txt")] == ["content"]


def test_it_works_as_a_resource_of_an_asset(tracking, uri):
    @dg.asset
    def logged(context: dg.AssetExecutionContext, tracking: ExperimentTracking) -> None:
        with tracking.run(context, "fraud") as run, run.nested("model", {}):
            pass

    result = dg.materialize([logged], resources={"tracking": tracking})
    tags = [run.data.tags for run in all_runs(uri).values()]
    assert result.run_id in [run_tags.get("dagster_run_id") for run_tags in tags]
    assert len(tags) == 2
