"""All stages of one model, opened outside of a Dagster run: to plan, and to read what they have committed."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.evaluation import ModelEvaluation
from ml_assets.pipeline.features import FeatureEngineering
from ml_assets.pipeline.ingestion import Ingestion
from ml_assets.pipeline.registry import ModelRegistration
from ml_assets.pipeline.stage import Stage
from ml_assets.pipeline.training import ModelTraining
from ml_assets.pipeline.validation import Validation
from ml_assets.resources.lake import Lake
from ml_assets.resources.landing import Landing
from ml_assets.resources.mlflow_model import ModelRecord
from ml_assets.resources.registry import ModelRegistry, RegisteredVersion


@dataclass(frozen=True)
class Stages:
    """The six stages of a model in their order."""

    ingestion: Ingestion
    validation: Validation
    features: FeatureEngineering
    training: ModelTraining
    evaluation: ModelEvaluation
    registration: ModelRegistration

    def __iter__(self) -> Iterator[Stage]:
        return (getattr(self, field.name) for field in fields(self))


def open_stages(spec: ModelSpec, lake: Lake, landing: Landing, registry: ModelRegistry) -> Stages:
    """The stages of a model, to be asked and read; models are registered within a Dagster run only."""

    def refuse(record: ModelRecord) -> RegisteredVersion:
        raise RuntimeError(f"{record.name} of {record.day} is registered by materialising its model_registry_entry")

    return Stages(
        Ingestion(spec, lake, landing),
        Validation(spec, lake),
        FeatureEngineering(spec, lake, landing),
        ModelTraining(spec, lake, landing, lambda line: None),
        ModelEvaluation(spec, lake, landing),
        ModelRegistration(spec, lake, landing, registry, refuse),
    )
