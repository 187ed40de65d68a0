"""A model that failed a gate has one complete MLflow run, whatever existed before, and no version."""

import pytest

from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.rejected_models import track_rejected_model
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets_tests.resources.mlflow.mlflow_cases import PNG, context, new_store, record

FAILED = {"gates": "failed", "gate_roc_auc": "roc_auc 0.9 is below the minimum 0.95 by 0.05"}


@pytest.fixture
def uri(tmp_path):
    return new_store(tmp_path)


def track(uri, dagster_run="run-1", **changes):
    """Track a rejected model in a new connection and return the ID of its run."""
    with ExperimentTracking(tracking_uri=uri).run(context(dagster_run), "fraud") as run:
        return track_rejected_model(connect(uri), run, record(**{"tags": FAILED, **changes}))


def runs(uri):
    client = connect(uri)
    experiment = client.get_experiment_by_name("fraud")
    assert experiment is not None
    return {run.info.run_id: run for run in client.search_runs([experiment.experiment_id])}


def test_a_rejected_model_is_tracked_with_everything_that_explains_it_and_has_no_version(uri):
    run_id = track(uri)
    run = connect(uri).get_run(run_id)
    assert run.info.status == "FINISHED"
    assert {**FAILED, "model_digest": "a1", "day": "2025-03-01"}.items() <= run.data.tags.items()
    assert run.data.metrics == {"roc_auc": 0.9}
    assert run.data.params["eta"] == "0.1"
    (plot,) = connect(uri).list_artifacts(run_id, "plots")
    assert (plot.path, plot.file_size) == ("plots/roc.png", len(PNG))
    assert list(connect(uri).search_model_versions("name = 'fraud'")) == []


def test_tracking_a_model_again_creates_nothing_not_even_the_run_of_the_dagster_run(uri):
    run_id, before = track(uri), runs(uri)
    assert track(uri, "run-2") == run_id
    assert runs(uri).keys() == before.keys()


def test_each_digest_and_each_day_has_a_run_of_its_own(uri):
    from datetime import date

    run_ids = {track(uri), track(uri, digest="b2"), track(uri, day=date(2025, 3, 2))}
    assert len(run_ids) == 3


def test_an_existing_run_gets_the_tags_and_metrics_that_changed(uri):
    run_id = track(uri)
    track(uri, "run-2", tags={**FAILED, "gate_roc_auc": "another reason"}, metrics={"roc_auc": 0.8})
    run = connect(uri).get_run(run_id)
    assert run.data.tags["gate_roc_auc"] == "another reason"
    assert run.data.metrics["roc_auc"] == 0.8


def _dies(run):
    with run.nested("fraud 2025-03-01", record(tags=FAILED).all_tags()):
        raise ValueError("the disk is full")


def test_an_unfinished_run_of_a_dead_process_is_completed(uri):
    with (
        pytest.raises(ValueError, match="the disk is full"),
        ExperimentTracking(tracking_uri=uri).run(context("dying"), "fraud") as run,
    ):
        _dies(run)
    (unfinished_id,) = [run_id for run_id, run in runs(uri).items() if run.data.tags.get("gates") == "failed"]
    assert track(uri, "run-2") == unfinished_id
    run = connect(uri).get_run(unfinished_id)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"roc_auc": 0.9})
    assert connect(uri).list_artifacts(unfinished_id, "plots")


def test_the_run_of_a_registered_model_is_not_mistaken_for_one_of_a_rejected_model(uri):
    with (
        ExperimentTracking(tracking_uri=uri).run(context(), "fraud") as run,
        run.nested("passed", record().all_tags()) as passed,
    ):
        pass
    assert track(uri, "run-2") != passed
