"""The asset graph of one model: a step for each stage, in the order of the stages."""

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.pipeline.graph.data_steps import FeaturesStep, IngestionStep, ValidationStep
from ml_assets.pipeline.graph.model_steps import EvaluationStep, RegistrationStep, TrainingStep, run_training
from ml_assets.pipeline.graph.monitoring_steps import PredictionQualityStep, ServedRequestsStep
from ml_assets.pipeline.graph.release_steps import DeploymentStep, PredictionsStep
from ml_assets.pipeline.graph.search_step import SearchStep
from ml_assets.pipeline.graph.translation import Translation
from ml_assets.pipeline.steps.asset_factory import build_step_assets
from ml_assets.pipeline.steps.run_stage import run_stage
from ml_assets.pipeline.steps.stage_step import StageStep


def list_steps(spec: ModelSpec) -> list[StageStep]:
    """List the steps of a model, in the order of their stages."""
    feeds = [feed for feed in (labels_feed(spec), rows_feed(spec)) if feed]
    return [
        *(step(spec, feed) for feed in feeds for step in (IngestionStep, ValidationStep)),
        FeaturesStep(spec),
        *([SearchStep(spec)] if spec.training.search else []),
        TrainingStep(spec),
        *(step(spec) for step in (EvaluationStep, RegistrationStep, DeploymentStep, PredictionsStep)),
        *([ServedRequestsStep(spec)] if spec.deployment.capture else []),
        *([PredictionQualityStep(spec)] if spec.deployment.quality else []),
    ]


def list_asset_specs(spec: ModelSpec) -> list[dg.AssetSpec]:
    """List the specifications of the assets of a model."""
    return [asset for step in list_steps(spec) for asset in step.asset_specs]


def build_assets(spec: ModelSpec, translation: Translation | None = None) -> list[dg.AssetsDefinition]:
    """Build the assets of a model.

    Args:
        spec: the model's specification.
        translation: the changes that its component makes to the specifications of assets and checks.
    """
    translation = translation or Translation()
    return [
        build_step_assets(
            step,
            run_training if isinstance(step, TrainingStep) else run_stage,
            change_asset=translation.asset,
            change_check=translation.check,
            project=translation.project,
        )
        for step in list_steps(spec)
    ]
