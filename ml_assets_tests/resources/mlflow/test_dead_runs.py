"""MLflow runs of processes that died end as KILLED; those of live or unknown runs are left alone."""

from types import SimpleNamespace

from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.dead_runs import end_dead_runs_of
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store


class Instance:
    """A Dagster instance that knows a run that has ended and one that goes on."""

    def get_run_by_id(self, run_id: str):
        return {"dead": SimpleNamespace(is_finished=True), "alive": SimpleNamespace(is_finished=False)}.get(run_id)


def test_the_runs_of_a_dead_process_are_killed(tmp_path):
    uri = new_store(tmp_path)
    client = connect(uri)
    experiment = client.create_experiment("m")
    runs = {
        name: client.create_run(experiment, tags={"dagster_run_id": name}).info.run_id
        for name in ("dead", "alive", "unknown")
    }
    nested = client.create_run(experiment, tags={"mlflow.parentRunId": runs["dead"]}).info.run_id
    assert set(end_dead_runs_of(uri, "m", Instance())) == {runs["dead"], nested}  # type: ignore[arg-type]
    assert {name: client.get_run(run).info.status for name, run in runs.items()} == {
        "dead": "KILLED",
        "alive": "RUNNING",
        "unknown": "RUNNING",
    }
    assert client.get_run(nested).info.status == "KILLED"
    assert end_dead_runs_of(uri, "m", Instance()) == []  # type: ignore[arg-type]


def test_a_store_that_does_not_exist_is_not_created(tmp_path):
    assert end_dead_runs_of(f"sqlite:///{tmp_path}/mlflow.db", "m", Instance()) == []  # type: ignore[arg-type]
    assert not (tmp_path / "mlflow.db").exists()
