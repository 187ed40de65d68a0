"""Re-execution from failure, which error messages recommend, makes what the failed run did not."""

import copy
import errno
import os

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.component import ModelPipeline
from ml_assets.pipeline.features.stage import FeatureEngineering
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import day, rows_of

ROOT = "ML_ASSETS_TEST_ROOT"


def small_features() -> dg.JobDefinition:
    """Build the job from raw data to features, in the folder that the variable names."""
    root = os.environ[ROOT]
    resources = {
        "landing": Landing(uri=f"{root}/landing"),
        "lake": Lake(uri=f"{root}/lake"),
        "registry": ModelRegistry(tracking_uri=f"sqlite:///{root}/mlflow.db"),
        "tracking": ExperimentTracking(tracking_uri=f"sqlite:///{root}/mlflow.db"),
        "deploy_target": DeployTarget(uri=f"{root}/production"),
    }
    spec = ModelSpec.model_validate(copy.deepcopy(SMALL))
    component_definitions = ModelPipeline(spec).build_defs(dg.ComponentTree.for_test().load_context)
    environment = dg.Definitions(resources=resources, executor=dg.in_process_executor)
    return dg.Definitions.merge(component_definitions, environment).resolve_job_def("small_features")


def fail_as_on_a_full_disk(*_: object) -> None:
    """Raise what writing to a full disk raises."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_run_that_met_a_full_disk_is_completed_from_failure(tmp_path, monkeypatch):
    monkeypatch.setenv(ROOT, str(tmp_path))
    folder = tmp_path / "landing" / day(1).isoformat()
    folder.mkdir(parents=True)
    rows_of(day(1)).to_csv(folder / "a.csv", index=False)
    job, tags = dg.reconstructable(small_features), {"dagster/partition": day(1).isoformat()}
    with dg.DagsterInstance.ephemeral() as instance:
        with monkeypatch.context() as disk:
            disk.setattr(FeatureEngineering, "make", fail_as_on_a_full_disk)
            failed = dg.execute_job(job, instance, tags=tags)
            (step,) = [event for event in failed.all_events if event.is_step_failure]
        assert step.step_key == "small__features"
        assert "then re-execute the run from failure" in step.step_failure_data.error.message
        options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
        with dg.execute_job(job, instance, tags=tags, reexecution_options=options) as result:
            assert result.success
            assert {event.step_key for event in result.all_events if event.is_step_start} == {"small__features"}
    assert day(1) in Lake(uri=str(tmp_path / "lake")).bytes_by_day("small", "features")
