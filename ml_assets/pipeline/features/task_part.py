"""The part of a specification that defines the meaning of target values, for fingerprints."""

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import BINARY


def task_part(spec: ModelSpec) -> dict[str, object]:
    """Return task, classes, positive label, weight and quantiles of a model, without those that have default values."""
    stated = {
        "task": None if spec.task == BINARY else spec.task,
        "classes": list(spec.classes),
        "positive": spec.positive,
        "sample_weight": spec.sample_weight,
        "quantiles": list(spec.training.quantiles),
    }
    part = {name: value for name, value in stated.items() if value not in (None, [])}
    return {"target": part} if part else {}
