"""Long training is reported to the log of the run and to MLflow; short training is not."""

import logging
from types import SimpleNamespace

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.progress import Progress
from ml_assets.pipeline.training.progress import TrainingProgress
from ml_assets.resources.lake.model_files import learning_curve
from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import day
from ml_assets_tests.pipeline.worlds import world_with_features
from ml_assets_tests.resources.mlflow.mlflow_cases import context, new_store

SPEC = ModelSpec.model_validate(SMALL)
FIRST = Progress("early_stopping", 3, 9, {"logloss": [0.6, 0.5, 0.4]}, 1000.0, 60.0)
SECOND = Progress("early_stopping", 4, 9, {"logloss": [0.6, 0.5, 0.4, 0.3]}, 2000.0, 30.0)


@pytest.fixture
def uri(tmp_path):
    return new_store(tmp_path)


def dagster_context(uri):
    run_context = context()
    run_context.resources = SimpleNamespace(tracking=ExperimentTracking(tracking_uri=uri))
    return run_context


def training_runs(uri):
    client = connect(uri)
    experiment = client.get_experiment_by_name("small")
    runs = client.search_runs([experiment.experiment_id], "tags.part = 'training'") if experiment else []
    return [(run.info.run_name, run.info.status, run.data.metrics) for run in runs]


def history(uri, name):
    client = connect(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("small").experiment_id], "tags.part = 'training'")
    return [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]


def test_a_nested_run_has_rounds_rate_and_time_left_and_ends_with_training(uri, caplog):
    caplog.set_level(logging.INFO, "test")
    with TrainingProgress(SPEC, dagster_context(uri)).follow(day(12)) as report:
        assert training_runs(uri) == []
        report(FIRST)
        ((name, status, metrics),) = training_runs(uri)
        assert (name, status) == (f"training small {day(12)}", "RUNNING")
        assert metrics == {
            "early_stopping_logloss": 0.4,
            "early_stopping_round": 3,
            "early_stopping_rows_per_second": 1000.0,
            "early_stopping_seconds_left": 60.0,
        }
        report(SECOND)
    assert training_runs(uri)[0][1] == "FINISHED"
    assert history(uri, "early_stopping_logloss") == [(1, 0.6), (2, 0.5), (3, 0.4), (4, 0.3)]
    assert history(uri, "early_stopping_seconds_left") == [(3, 60.0), (4, 30.0)]
    assert (
        f"small {day(12)}: early_stopping: round 4 of at most 9, logloss 0.3000, 2,000 rows/s, at most 30 s left"
        in caplog.messages
    )


def test_the_nested_run_of_failed_training_has_failed(uri):
    def train():
        with TrainingProgress(SPEC, dagster_context(uri)).follow(day(12)) as report:
            report(FIRST)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train()
    assert training_runs(uri)[0][1] == "FAILED"


def test_training_continues_without_mlflow_and_the_log_says_so_once(tmp_path, caplog):
    unreachable = dagster_context(f"sqlite:///{tmp_path}/no/such/folder\0/mlflow.db")
    with TrainingProgress(SPEC, unreachable).follow(day(12)) as report:
        report(FIRST)
        report(SECOND)
    assert sum("the progress of training cannot be logged to MLflow" in message for message in caplog.messages) == 1


def test_an_mlflow_store_that_disappears_does_not_fail_training(uri, monkeypatch, caplog):
    run_context = dagster_context(uri)
    with TrainingProgress(SPEC, run_context).follow(day(12)) as report:
        report(FIRST)
        monkeypatch.setattr(
            "mlflow.MlflowClient.set_terminated", lambda *_, **__: (_ for _ in ()).throw(OSError("gone"))
        )
    assert any("(gone); training continues" in message for message in caplog.messages)


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    return world_with_features(tmp_path_factory.mktemp("features"))


def test_the_stage_reports_long_training_and_not_short_training(features, tmp_path, monkeypatch):
    short, long = features.copy(tmp_path / "short"), features.copy(tmp_path / "long")
    short.run(["trained_model"], day(12))
    assert not (short.root / "mlflow.db").exists()
    monkeypatch.setattr("ml_assets.core.training.progress.SECONDS_BETWEEN", 0.0)
    result = long.run(["trained_model"], day(12))
    ((name, status, metrics),) = training_runs(long.tracking.tracking_uri)
    assert (name, status) == (f"training small {day(12)}", "FINISHED")
    curve = learning_curve(long.lake, long.stages().training.row(day(12))["artifacts"])
    assert history(long.tracking.tracking_uri, "early_stopping_logloss") == list(enumerate(curve["logloss"], 1))
    assert metrics["refit_round"] == long.stages().training.row(day(12))["rounds"]
    assert any("refit: round 1 of at most" in entry.user_message for entry in long.events_of(result))
