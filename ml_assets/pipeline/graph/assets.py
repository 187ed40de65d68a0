"""The asset graph of one model: a step for each stage, in the order of the stages."""

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.pipeline.graph.data_steps import FeaturesStep, IngestionStep, ValidationStep
from ml_assets.pipeline.graph.model_steps import EvaluationStep, RegistrationStep, TrainingStep, run_training
from ml_assets.pipeline.graph.release_steps import DeploymentStep, PredictionsStep
from ml_assets.pipeline.graph.search_step import SearchStep
from ml_assets.pipeline.steps.asset_factory import build_step_assets


def build_assets(spec: ModelSpec) -> list[dg.AssetsDefinition]:
    """Build the assets of a model."""
    feeds = [feed for feed in (labels_feed(spec), rows_feed(spec)) if feed]
    return [
        *(build_step_assets(step(spec, feed)) for feed in feeds for step in (IngestionStep, ValidationStep)),
        build_step_assets(FeaturesStep(spec)),
        *([build_step_assets(SearchStep(spec))] if spec.training.search else []),
        build_step_assets(TrainingStep(spec), run_training),
        *(
            build_step_assets(step(spec))
            for step in (EvaluationStep, RegistrationStep, DeploymentStep, PredictionsStep)
        ),
    ]
