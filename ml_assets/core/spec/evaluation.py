"""How the model is judged: the holdout, the metrics, and the gates that a model must pass."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from ml_assets.core.spec.base import SpecPart
from ml_assets.core.spec.durations import PositiveDays

GateMetric = Literal[
    "roc_auc", "average_precision", "precision", "recall", "f1", "precision_at_k", "entity_precision_at_k", "log_loss", "brier_score"
]

UNBOUNDED = ("log_loss",)


class Evaluation(SpecPart):
    """Which rows are scored after training, and what is measured on them."""

    holdout: PositiveDays = timedelta(days=7)
    """The last days whose labels are known: never seen by training."""

    top_k: int = Field(100, ge=1)
    """k of the precision among the k highest scores of a day, of rows and of entities."""

    exclude_known_positives: bool = False
    """Leave out rows of entities with a positive label, from the first training day on, that was known before the row's day began."""

    slices: list[str] = []
    """Columns; every metric is also measured for each of their values (the 20 most frequent)."""

    bootstrap_samples: int = Field(200, ge=20)
    """Resamples behind each interval."""

    confidence: float = Field(0.95, gt=0, lt=1)
    """Share of the resamples inside an interval."""


class Gate(SpecPart):
    """Bounds of one metric on the holdout; a missing or NaN metric fails."""

    minimum: float | None = Field(None, allow_inf_nan=False)
    """Smallest value that passes."""
    maximum: float | None = Field(None, allow_inf_nan=False)
    """Largest value that passes."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> "Gate":
        if self.minimum is None and self.maximum is None:
            raise ValueError("give minimum, maximum or both")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}: nothing passes")
        return self
