"""A trial has one finished run in MLflow, whoever tells of it and however often, also after the process died on the
way.
"""

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
    (found,) = trials_in(uri)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "fraud 2025-01-20 trial 2")
    assert found.data.params == {"eta": "0.1", "max_depth": "3"}
    assert {name: found.data.tags[name] for name in ("study", "trial", "day", "pruned")} == {
        "study": "abc",
        "trial": "2",
        "day": "2025-01-20",
        "pruned": "false",
    }
    history = connect(uri).get_metric_history(found.info.run_id, "average_precision")
    assert sorted((point.step, point.value) for point in history) == [(0, 0.5), (1, 0.75)]
    assert (found.data.metrics["mean_average_precision"], found.data.metrics["seconds"]) == (0.625, 1.5)


def test_a_trial_that_was_told_of_gets_no_second_run_and_one_of_another_study_its_own(uri):
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
    (found,) = trials_in(uri)
    client = connect(uri)
    client.update_run(found.info.run_id, "RUNNING")
    with opened(uri) as runs:
        runs.log_trial(TRIAL)
    (completed,) = trials_in(uri)
    assert (completed.info.run_id, completed.info.status) == (found.info.run_id, "FINISHED")
    assert completed.data.params == {"eta": "0.1", "max_depth": "3"}
