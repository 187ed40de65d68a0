"""All stages of one model, opened outside of a Dagster run: to plan, and to read what they have committed."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import NoReturn

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.core.release.release_state import Move, Release
from ml_assets.pipeline.engine.stage import Stage
from ml_assets.pipeline.evaluation.stage import ModelEvaluation
from ml_assets.pipeline.features.stage import FeatureEngineering
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.pipeline.release.deployment_stage import ModelDeployment
from ml_assets.pipeline.release.predictions_stage import DailyPredictions
from ml_assets.pipeline.release.registration_stage import ModelRegistration, refuse_to_register
from ml_assets.pipeline.training.search_stage import ParameterSearch, refuse_to_search
from ml_assets.pipeline.training.stage import ModelTraining
from ml_assets.pipeline.validation.stage import Validation
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.storage.landing import Landing


def refuse_to_release(before: Release, move: Move) -> NoReturn:
    """For a stage that is opened to be asked and read.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"{move.after} is released by materialising the deployment of {move.day}")


@dataclass(frozen=True)
class Stages:
    """The stages of a model in their order; those of labels, and of the search, only where the model has them."""

    label_ingestion: Ingestion | None
    label_validation: Validation | None
    ingestion: Ingestion
    validation: Validation
    features: FeatureEngineering
    search: ParameterSearch | None
    training: ModelTraining
    evaluation: ModelEvaluation
    registration: ModelRegistration
    deployment: ModelDeployment
    predictions: DailyPredictions

    def of_landed(self) -> list[Stage]:
        """The stages that follow landed files, up to validation."""
        return [
            stage
            for stage in (self.label_ingestion, self.label_validation, self.ingestion, self.validation)
            if stage is not None
        ]

    def of_model(self) -> list[Stage]:
        """The stages that make a model of a day, from the search for its parameters to its registration."""
        return [
            stage for stage in (self.search, self.training, self.evaluation, self.registration) if stage is not None
        ]

    def of_live(self) -> list[Stage]:
        """The stages that decide what is live and score with it."""
        return [self.deployment, self.predictions]

    def __iter__(self) -> Iterator[Stage]:
        """Every stage that the model has, each after those that it reads."""
        return (stage for field in fields(self) if (stage := getattr(self, field.name)) is not None)


def open_stages(spec: ModelSpec, lake: Lake, landing: Landing, registry: ModelRegistry) -> Stages:
    """The stages of a model, to be asked and read; models are registered and released within a Dagster run only."""
    rows, labels = rows_feed(spec), labels_feed(spec)
    return Stages(
        Ingestion(labels, spec.late_data, lake, landing) if labels else None,
        Validation(labels, lake) if labels else None,
        Ingestion(rows, spec.late_data, lake, landing),
        Validation(rows, lake),
        FeatureEngineering(spec, lake, landing),
        ParameterSearch(spec, lake, landing, lambda line: None, refuse_to_search) if spec.training.search else None,
        ModelTraining(spec, lake, landing, lambda line: None),
        ModelEvaluation(spec, lake, landing, registry),
        ModelRegistration(spec, lake, landing, registry, refuse_to_register),
        ModelDeployment(spec, lake, landing, refuse_to_release, "nobody"),
        DailyPredictions(spec, lake),
    )
