"""A job of a small model whose steps share the pod of their run, as a function that other processes can load."""

import copy

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.component import ModelPipeline
from ml_assets.resources.kubernetes.step_executor import step_executor
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.conftest import SMALL


def small_features(root: str) -> dg.JobDefinition:
    """Build the job from raw data to features; landing, lake and registry are in the folder `root`."""
    spec = ModelSpec.model_validate(copy.deepcopy(SMALL))
    uri = f"sqlite:///{root}/mlflow.db"
    resources = {
        "landing": Landing(uri=f"{root}/landing"),
        "lake": Lake(uri=f"{root}/lake"),
        "registry": ModelRegistry(tracking_uri=uri),
        "tracking": ExperimentTracking(tracking_uri=uri),
        "deploy_target": DeployTarget(uri=f"{root}/production"),
    }
    component_definitions = ModelPipeline(spec).build_defs(dg.ComponentTree.for_test().load_context)
    environment = dg.Definitions(resources=resources, executor=step_executor(lambda context: 0))
    return dg.Definitions.merge(component_definitions, environment).resolve_job_def("small_features")
