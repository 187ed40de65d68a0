"""A trial has one finished run in MLflow, however often it is logged, also after its process died midway."""

from contextlib import contextmanager
from datetime import date

import pytest

from ml_assets.core.training.trials import Trial
from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.mlflow.trial_runs import TrialRuns
from ml_assets_tests.resources.mlflow.mlflow_cases import context, new_store

FOLDS = [{"average_precision": 0.5, "rounds": 7}, {"average_precision": 0.75, "rounds": 9}]
TRIAL = Trial(2, {"eta": 0.1, "max_depth": 3}, FOLDS, 0.625, False, 1.5)


@pytest.fixture
def uri(tmp_path):
    return new_store(tmp_path)


@contextmanager
def opened(uri, study="abc"):
    with ExperimentTracking(tracking_uri=uri).run(context(), "fraud") as run:
        yield TrialRuns(run, "fraud", study, date(2025, 1, 20), "average_precision")


def trials_in(uri):
    client = connect(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'fraud'")
    return [run for run in client.search_runs([experiment.experiment_id]) if "trial" in run.data.tags]


def test_a_run_has_parameters_figures_of_each_fold_and_tags(uri):
    with opened(uri) as runs:
        runs.log_trial(TRIAL)
    (run,) = trials_in(uri)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "fraud 2025-01-20 trial 2")
    assert run.data.params == {"eta": "0.1", "max_depth": "3"}
    assert {name: run.data.tags[name] for name in ("study", "trial", "day", "pruned")} == {
        "study": "abc",
        "trial": "2",
        "day": "2025-01-20",
        "pruned": "false",
    }
    history = connect(uri).get_metric_history(run.info.run_id, "average_precision")
    assert sorted((point.step, point.value) for point in history) == [(0, 0.5), (1, 0.75)]
    assert (run.data.metrics["mean_average_precision"], run.data.metrics["seconds"]) == (0.625, 1.5)


def test_a_logged_trial_gets_no_second_run_and_one_of_another_study_gets_its_own(uri):
    for _ in range(2):
        with opened(uri) as runs:
            runs.log_trial(TRIAL)
    assert len(trials_in(uri)) == 1
    with opened(uri, "other") as runs:
        runs.log_trial(TRIAL)
    assert len(trials_in(uri)) == 2


def test_a_run_that_was_left_unfinished_is_completed(uri):
    with opened(uri) as runs:
        runs.log_trial(TRIAL)
    (unfinished,) = trials_in(uri)
    client = connect(uri)
    client.update_run(unfinished.info.run_id, "RUNNING")
    with opened(uri) as runs:
        runs.log_trial(TRIAL)
    (completed,) = trials_in(uri)
    assert (completed.info.run_id, completed.info.status) == (unfinished.info.run_id, "FINISHED")
    assert completed.data.params == {"eta": "0.1", "max_depth": "3"}
