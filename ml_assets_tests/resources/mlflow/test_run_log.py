"""Learning curves are metrics of MLflow with one step for each round."""

import pytest

from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.run_log import METRICS_PER_REQUEST, PARAMS_PER_REQUEST, RunLog
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store


@pytest.fixture
def run_log(tmp_path):
    client = connect(new_store(tmp_path))
    experiment = client.create_experiment("fraud", artifact_location=f"file://{tmp_path}/artifacts")
    return RunLog(client, client.create_run(experiment).info.run_id)


def history(run_log, name):
    return [(metric.step, metric.value) for metric in run_log.client.get_metric_history(run_log.run_id, name)]


def test_rounds_are_steps_and_those_logged_before_are_left_out(run_log):
    run_log.log(curves={"logloss": [0.5, 0.4]})
    run_log.log(curves={"logloss": [0.5, 0.4, 0.3]}, after=2)
    assert history(run_log, "logloss") == [(1, 0.5), (2, 0.4), (3, 0.3)]


def test_the_name_of_every_loss_of_xgboost_is_one_that_mlflow_takes(run_log):
    run_log.log(metrics={"tweedie-nloglik@1.5": 1.0}, curves={"validation_tweedie-nloglik@1.3": [2.0]})
    assert set(run_log.client.get_run(run_log.run_id).data.metrics) == {
        "tweedie-nloglik_1.5",
        "validation_tweedie-nloglik_1.3",
    }


def test_values_that_are_not_finite_are_left_out(run_log):
    run_log.log(curves={"logloss": [float("nan"), 0.4, float("inf")]})
    assert history(run_log, "logloss") == [(2, 0.4)]


def test_a_long_curve_takes_several_requests(run_log):
    values = [1 / (n + 1) for n in range(METRICS_PER_REQUEST + 7)]
    run_log.log(curves={"aucpr": values})
    assert history(run_log, "aucpr") == list(enumerate(values, 1))


def test_parameters_metrics_and_curves_are_one_request(run_log, monkeypatch):
    requests = []
    log_batch = type(run_log.client).log_batch
    monkeypatch.setattr(
        type(run_log.client), "log_batch", lambda *args, **items: requests.append(items) or log_batch(*args, **items)
    )
    run_log.log({"eta": 0.1}, {"roc_auc": 0.9}, {"logloss": [0.5, 0.4]})
    run = run_log.client.get_run(run_log.run_id)
    assert len(requests) == 1
    assert (run.data.params, run.data.metrics) == ({"eta": "0.1"}, {"roc_auc": 0.9, "logloss": 0.4})


def test_more_parameters_than_a_request_may_have_are_all_logged(run_log):
    run_log.log({f"p{number}": number for number in range(PARAMS_PER_REQUEST + 5)})
    assert len(run_log.client.get_run(run_log.run_id).data.params) == PARAMS_PER_REQUEST + 5


def test_files_keep_their_folders(run_log):
    run_log.log_files({"plots/roc.png": b"png", "report.html": b"page"})
    assert {file.path for file in run_log.client.list_artifacts(run_log.run_id)} == {"plots", "report.html"}
    assert [file.path for file in run_log.client.list_artifacts(run_log.run_id, "plots")] == ["plots/roc.png"]
