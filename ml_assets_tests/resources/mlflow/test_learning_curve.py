"""Learning curves are metrics of MLflow, a step a round."""

import pytest

from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.learning_curve import METRICS_PER_REQUEST, log_curve
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store


@pytest.fixture
def client(tmp_path):
    return connect(new_store(tmp_path))


def history(client, run_id, name):
    return [(one.step, one.value) for one in client.get_metric_history(run_id, name)]


def test_rounds_are_steps_and_those_logged_before_are_left_out(client):
    run_id = client.create_run("0").info.run_id
    log_curve(client, run_id, {"logloss": [0.5, 0.4]})
    log_curve(client, run_id, {"logloss": [0.5, 0.4, 0.3]}, after=2)
    assert history(client, run_id, "logloss") == [(1, 0.5), (2, 0.4), (3, 0.3)]


def test_what_is_not_finite_is_left_out(client):
    run_id = client.create_run("0").info.run_id
    log_curve(client, run_id, {"logloss": [float("nan"), 0.4, float("inf")]})
    assert history(client, run_id, "logloss") == [(2, 0.4)]


def test_a_long_curve_takes_several_requests(client):
    run_id, values = client.create_run("0").info.run_id, [1 / (n + 1) for n in range(METRICS_PER_REQUEST + 7)]
    log_curve(client, run_id, {"aucpr": values})
    assert history(client, run_id, "aucpr") == list(enumerate(values, 1))
