"""A model that failed a gate has one MLflow run, complete, whatever was there before, and no version."""

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
    """The id of the run, as seen from a new process."""
    with ExperimentTracking(tracking_uri=uri).run(context(dagster_run), "fraud") as run:
        return track_rejected_model(connect(uri), run, record(**{"tags": FAILED, **changes}))


def runs(uri):
    client = connect(uri)
    experiment = client.get_experiment_by_name("fraud")
    assert experiment is not None
    return {found.info.run_id: found for found in client.search_runs([experiment.experiment_id])}


def test_a_failing_model_is_tracked_with_all_that_explains_it_and_has_no_version(uri):
    run_id = track(uri)
    found = connect(uri).get_run(run_id)
    assert found.info.status == "FINISHED"
    assert {**FAILED, "model_digest": "a1", "day": "2025-03-01"}.items() <= found.data.tags.items()
    assert found.data.metrics == {"roc_auc": 0.9}
    assert found.data.params["eta"] == "0.1"
    (plot,) = connect(uri).list_artifacts(run_id, "plots")
    assert (plot.path, plot.file_size) == ("plots/roc.png", len(PNG))
    assert list(connect(uri).search_model_versions("name = 'fraud'")) == []


def test_the_second_time_nothing_is_made_not_even_the_run_of_the_dagster_run(uri):
    run_id, before = track(uri), runs(uri)
    assert track(uri, "run-2") == run_id
    assert runs(uri).keys() == before.keys()


def test_each_digest_and_each_day_has_a_run_of_its_own(uri):
    from datetime import date

    found = {track(uri), track(uri, digest="b2"), track(uri, day=date(2025, 3, 2))}
    assert len(found) == 3


def test_what_changed_is_told_to_the_run_that_is_there(uri):
    run_id = track(uri)
    track(uri, "run-2", tags={**FAILED, "gate_roc_auc": "another reason"}, metrics={"roc_auc": 0.8})
    found = connect(uri).get_run(run_id)
    assert found.data.tags["gate_roc_auc"] == "another reason"
    assert found.data.metrics["roc_auc"] == 0.8


def _dies(run):
    with run.nested("fraud 2025-03-01", record(tags=FAILED).all_tags()):
        raise ValueError("the disk is full")


def test_a_run_that_a_dying_process_left_is_completed(uri):
    with (
        pytest.raises(ValueError, match="the disk is full"),
        ExperimentTracking(tracking_uri=uri).run(context("dying"), "fraud") as run,
    ):
        _dies(run)
    (left,) = [run_id for run_id, found in runs(uri).items() if found.data.tags.get("gates") == "failed"]
    assert track(uri, "run-2") == left
    found = connect(uri).get_run(left)
    assert (found.info.status, found.data.metrics) == ("FINISHED", {"roc_auc": 0.9})
    assert connect(uri).list_artifacts(left, "plots")


def test_a_registered_model_s_run_is_not_taken_for_one_of_a_failing_model(uri):
    with (
        ExperimentTracking(tracking_uri=uri).run(context(), "fraud") as run,
        run.nested("passed", record().all_tags()) as passed,
    ):
        pass
    assert track(uri, "run-2") != passed
