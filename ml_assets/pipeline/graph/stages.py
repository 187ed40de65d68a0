"""The stages of one model, each built once with the stages and the gate that it reads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import dagster as dg

from ml_assets.core.ingestion.file_pattern import marker_key
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Feed, labels_feed, rows_feed
from ml_assets.pipeline.asset_names import MODEL
from ml_assets.pipeline.engine.stage import Stage
from ml_assets.pipeline.evaluation.stage import ModelEvaluation
from ml_assets.pipeline.features.drift_trigger import DriftTrigger
from ml_assets.pipeline.features.labelled_features import LabelledFeatures
from ml_assets.pipeline.features.stage import FeatureEngineering
from ml_assets.pipeline.graph.data_gate import DataGate
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.pipeline.monitoring.quality_stage import PredictionQuality
from ml_assets.pipeline.monitoring.served_stage import ServedRequests
from ml_assets.pipeline.release.deployment_stage import ModelDeployment, refuse_to_release
from ml_assets.pipeline.release.predictions_stage import DailyPredictions
from ml_assets.pipeline.release.registration_stage import ModelRegistration, Register, refuse_to_register
from ml_assets.pipeline.training.config import is_model_requested
from ml_assets.pipeline.training.due_days import DueModels, TrainingSchedule, Trigger
from ml_assets.pipeline.training.progress import Follow, follow_in_log
from ml_assets.pipeline.training.search_stage import OpenLog, ParameterSearch, refuse_to_search
from ml_assets.pipeline.training.stage import ModelTraining
from ml_assets.pipeline.training.stale_models import StaleInputs
from ml_assets.pipeline.validation.stage import Validation
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.storage.landing import Landing


def ignore_line(line: str) -> None:
    """Discard a log line."""


class StageBuilder:
    """Builds the stages of one model on one lake and landing.

    Stages that act outside of the lake are read-only unless a step of a run passes them the action.

    Args:
        spec: the model.
        lake: holds the tables.
        landing: holds the files.
        is_model_requested: whether days get a model even if none is due.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing, is_model_requested: bool = False):
        self.spec = spec
        self.lake = lake
        self.landing = landing
        self._is_model_requested = is_model_requested
        self._rows = rows_feed(spec)
        self._labels = labels_feed(spec)

    def ingestion_of(self, feed: Feed) -> Ingestion:
        """Build the stage that reads the files of a feed."""
        spec = self.spec
        others = [other.source.files for other in (self._rows, self._labels) if other and other.raw != feed.raw]
        if spec.sensor.marker is not None:
            others.append(marker_key(feed.source.files, spec.sensor.marker))
        return Ingestion(feed, spec.late_data, self.lake, self.landing, spec.sensor.look_back, others)

    def validation_of(self, feed: Feed) -> Validation:
        """Build the stage that validates the rows of a feed."""
        return Validation(feed, self.lake, self.spec if feed.event_time is None else None)

    @cached_property
    def label_ingestion(self) -> Ingestion | None:
        """The stage raw_labels, where labels come in files of their own."""
        return self.ingestion_of(self._labels) if self._labels else None

    @cached_property
    def label_validation(self) -> Validation | None:
        """The stage validated_labels, where labels come in files of their own."""
        return self.validation_of(self._labels) if self._labels else None

    @cached_property
    def ingestion(self) -> Ingestion:
        """The stage raw_data."""
        return self.ingestion_of(self._rows)

    @cached_property
    def validation(self) -> Validation:
        """The stage validated_data."""
        return self.validation_of(self._rows)

    @cached_property
    def features(self) -> FeatureEngineering:
        """The stage features."""
        return FeatureEngineering(self.spec, self.lake, self.landing)

    @cached_property
    def gate(self) -> DataGate:
        """The gate that all stages of the model share."""
        return DataGate(self.spec, self.validation, self.features, self.label_validation)

    @cached_property
    def due(self) -> DueModels:
        """Decides for all stages whether a model is due on a day."""
        from ml_assets.core.tables.schemas import TRAINED_MODEL_SCHEMA

        triggers: dict[str, Trigger] = {}
        if "drift" in self.spec.training.when:
            triggers["drift"] = DriftTrigger(self.spec, self.features)
        if "stale_inputs" in self.spec.training.when:
            models = self.lake.table(self.spec.name, MODEL, TRAINED_MODEL_SCHEMA)
            rows = LabelledFeatures(self.spec, self.lake, self.landing)
            triggers["stale_inputs"] = StaleInputs(models, rows, TrainingSchedule(self.spec))
        return DueModels(self.spec, triggers, self._is_model_requested)

    def search(self, log: Callable[[str], None] = ignore_line, open_log: OpenLog = refuse_to_search) -> ParameterSearch:
        """Build the stage parameter_search, for a specification that has one."""
        return ParameterSearch(self.spec, self.lake, self.landing, self.gate, self.due, log, open_log)

    def training(
        self,
        log: Callable[[str], None] = ignore_line,
        follow: Follow = follow_in_log,
        overrides: Mapping[str, object] | None = None,
    ) -> ModelTraining:
        """Build the stage trained_model."""
        upstream = [self.ingestion, self.validation, self.label_ingestion, self.label_validation, self.features]
        search = self.search(log) if self.spec.training.search else None
        return ModelTraining(
            self.spec,
            self.lake,
            self.landing,
            self.gate,
            self.due,
            [stage for stage in upstream if stage],
            search,
            log,
            follow,
            overrides,
        )

    def evaluation(self, registry: ModelRegistry) -> ModelEvaluation:
        """Build the stage evaluation."""
        return ModelEvaluation(self.spec, self.lake, self.landing, registry, self.gate, self.due)

    def registration(self, registry: ModelRegistry, register: Register = refuse_to_register) -> ModelRegistration:
        """Build the stage model_registry_entry."""
        return ModelRegistration(self.spec, self.lake, registry, self.evaluation(registry), register)

    def deployment(self, release: "Callable[..., None]" = refuse_to_release, actor: str = "nobody") -> ModelDeployment:
        """Build the stage deployment."""
        return ModelDeployment(self.spec, self.lake, self.landing, release, actor)

    def predictions(self) -> DailyPredictions:
        """Build the stage predictions."""
        return DailyPredictions(self.spec, self.lake)

    def served_requests(self) -> ServedRequests:
        """Build the stage served_requests."""
        return ServedRequests(self.spec, self.lake)

    def quality(self) -> PredictionQuality:
        """Build the stage prediction_quality."""
        return PredictionQuality(self.spec, self.lake, self.landing, self.predictions())


def builder_of(spec: ModelSpec, context: dg.AssetExecutionContext) -> StageBuilder:
    """Return the builder on the lake and the landing of a run."""
    resources = context.resources
    return StageBuilder(spec, resources.lake, resources.landing, is_model_requested(context, spec))


@dataclass(frozen=True)
class Stages:
    """The stages of a model in their order; the stages of labels, search and production only if the model has them."""

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
    served_requests: ServedRequests | None
    quality: PredictionQuality | None

    def up_to_validation(self) -> list[Stage]:
        """List the stages that follow landed files, up to validation."""
        stages = (self.label_ingestion, self.label_validation, self.ingestion, self.validation)
        return [stage for stage in stages if stage is not None]

    def search_to_registration(self) -> list[Stage]:
        """List the stages that make a model of a day."""
        stages = (self.search, self.training, self.evaluation, self.registration)
        return [stage for stage in stages if stage is not None]

    def release_stages(self) -> list[Stage]:
        """List the stages that decide which versions are live, score with them, and observe them."""
        stages = (self.deployment, self.predictions, self.served_requests, self.quality)
        return [stage for stage in stages if stage is not None]

    def __iter__(self) -> Iterator[Stage]:
        """Every stage that the model has, each after those that it reads."""
        return (stage for field in fields(self) if (stage := getattr(self, field.name)) is not None)


def open_stages(spec: ModelSpec, lake: Lake, landing: Landing, registry: ModelRegistry, train: bool = False) -> Stages:
    """Open all stages of a model read-only: models are registered and released only within a Dagster run. With `train`,
    days get a model even if none is due.
    """
    builder = StageBuilder(spec, lake, landing, train)
    return Stages(
        label_ingestion=builder.label_ingestion,
        label_validation=builder.label_validation,
        ingestion=builder.ingestion,
        validation=builder.validation,
        features=builder.features,
        search=builder.search() if spec.training.search else None,
        training=builder.training(),
        evaluation=builder.evaluation(registry),
        registration=builder.registration(registry),
        deployment=builder.deployment(),
        predictions=builder.predictions(),
        served_requests=builder.served_requests() if spec.deployment.capture else None,
        quality=builder.quality() if spec.deployment.quality else None,
    )
