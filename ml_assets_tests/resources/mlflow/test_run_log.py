"""Learning curves are metrics of MLflow with one step for each round."""

import pytest

from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.run_log import METRICS_PER_REQUEST, RunLog
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store


@pytest.fixture
def run_log(tmp_path):
    client = connect(new_store(tmp_path))
    return RunLog(client, client.create_run("0").info.run_id)


def history(run_log, name):
    return [(metric.step, metric.value) for metric in run_log.client.get_metric_history(run_log.run_id, name)]


def test_rounds_are_steps_and_those_logged_before_are_left_out(run_log):
    run_log.log_curves({"logloss": [0.5, 0.4]})
    run_log.log_curves({"logloss": [0.5, 0.4, 0.3]}, after=2)
    assert history(run_log, "logloss") == [(1, 0.5), (2, 0.4), (3, 0.3)]


def test_values_that_are_not_finite_are_left_out(run_log):
    run_log.log_curves({"logloss": [float("nan"), 0.4, float("inf")]})
    assert history(run_log, "logloss") == [(2, 0.4)]


def test_a_long_curve_takes_several_requests(run_log):
    values = [1 / (n + 1) for n in range(METRICS_PER_REQUEST + 7)]
    run_log.log_curves({"aucpr": values})
    assert history(run_log, "aucpr") == list(enumerate(values, 1))
