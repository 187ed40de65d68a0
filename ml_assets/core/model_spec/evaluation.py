"""How the model is judged: the holdout, the metrics, the gates that a model must pass, and its comparison with the
champion.
"""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import PositiveDays

GateMetric = Literal[
    "roc_auc",
    "average_precision",
    "precision",
    "recall",
    "f1",
    "precision_at_k",
    "entity_precision_at_k",
    "log_loss",
    "brier_score",
    "calibration_ratio",
    "calibration_error",
]
ComparedMetric = Literal[
    "roc_auc", "average_precision", "precision", "recall", "f1", "log_loss", "brier_score", "calibration_error"
]

UNBOUNDED = ("log_loss", "calibration_ratio")
NOT_OF_SLICES = ("precision_at_k", "entity_precision_at_k")


class Evaluation(SpecPart):
    """Which rows are scored after training, and what is measured on them."""

    holdout: PositiveDays = timedelta(days=7)
    """The last days whose labels are known: never seen by training."""

    top_k: int = Field(100, ge=1)
    """k of the precision among the k highest scores of a day, of rows and of entities."""

    exclude_known_positives: bool = False
    """Leave out rows of entities with a positive label, from the first training day on, that was known before the row's
    day began.
    """

    slices: list[str] = []
    """Columns; every metric is also measured for each of their values (the 20 most frequent)."""

    slice_min_positives: int = Field(20, ge=1)
    """Slices with fewer positives are measured, but not held to `slice_minimum` and `slice_maximum` of a gate."""

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
    slice_minimum: float | None = Field(None, allow_inf_nan=False)
    """Smallest value that passes for each slice of `evaluation.slices` with enough positives."""
    slice_maximum: float | None = Field(None, allow_inf_nan=False)
    """Largest value that passes for each such slice."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> "Gate":
        if self.minimum is None and self.maximum is None:
            raise ValueError("give minimum, maximum or both")
        for side, (minimum, maximum) in [("", (self.minimum, self.maximum)), ("slice_", self.slice_bounds())]:
            if minimum is not None and maximum is not None and minimum > maximum:
                raise ValueError(f"{side}minimum {minimum} is above {side}maximum {maximum}: nothing passes")
        return self

    def slice_bounds(self) -> tuple[float | None, float | None]:
        """The bounds of every slice."""
        return self.slice_minimum, self.slice_maximum

    def of_slices(self) -> bool:
        """Whether slices have bounds."""
        return self.slice_bounds() != (None, None)


class ChampionGate(SpecPart):
    """Holds a model to the one that the registry's alias `champion` points to, both scored on the same holdout rows."""

    metric: ComparedMetric = "average_precision"
    """What is compared; all of these metrics are measured for both models."""
    margin: float = Field(0.02, ge=0, allow_inf_nan=False)
    """How much worse the model may be: it passes while the whole interval of the difference lies above minus this."""
