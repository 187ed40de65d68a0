"""Evaluation of a model: the holdout, the metrics, the gates that it must pass, and its comparison with the
champion."""

from datetime import timedelta

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import PositiveDays
from ml_assets.core.model_spec.types.metric_names import ComparedMetric, GateMetric, lowest_difference


class Evaluation(SpecPart):
    """The rows that are scored after training, and the metrics that are measured on them."""

    holdout: PositiveDays = timedelta(days=7)
    """Length of the holdout: the newest days whose labels are known. Training never reads them."""

    top_k: int = Field(100, ge=1, le=1_000_000_000)
    """k of precision at k, measured on the k rows, or entities, with the highest scores of a day. For task binary."""

    top_classes: int = Field(2, ge=1, le=100_000)
    """k of `top_k_accuracy`: a row counts as right if its class is among the k of the highest probabilities. For task
    multiclass."""

    exclude_known_positives: bool = False
    """Whether to exclude rows of entities that were known to have a positive label before the row's day began. Labels
    count from the first training day on, so models with different training windows are measured on different rows,
    unless `known_positives_window` is set."""

    known_positives_window: PositiveDays | None = None
    """Length of the window, ending with the training window, whose positive labels count for `exclude_known_positives`,
    independent of the length of the training window; later labels count as they become known. `7d` is the protocol of
    the Fraud Detection Handbook. null: the training window."""

    slices: list[str] = []
    """Columns by which metrics are sliced: every metric is also measured for each of their 20 most frequent values."""

    slice_min_positives: int = Field(20, ge=1, le=1_000_000_000)
    """Minimum number of positives of a slice to which `slice_minimum` and `slice_maximum` of a gate apply. For task
    binary."""

    slice_min_rows: int = Field(100, ge=1, le=1_000_000_000)
    """Minimum number of labelled rows of such a slice. For task regression or multiclass."""

    bootstrap_samples: int = Field(200, ge=20, le=100_000)
    """Number of bootstrap samples of each interval."""

    confidence: float = Field(0.95, gt=0, lt=1)
    """Confidence level of the intervals."""

    @model_validator(mode="after")
    def _window_is_used(self) -> "Evaluation":
        if self.known_positives_window is not None and not self.exclude_known_positives:
            raise ValueError(
                "known_positives_window has no effect without exclude_known_positives: true, for binary targets only"
            )
        return self


class Gate(SpecPart):
    """Bounds of one metric on the holdout: a minimum, a maximum or both. A missing or NaN metric fails."""

    minimum: float | None = Field(None, ge=-1e9, le=1e9, allow_inf_nan=False)
    """Minimum that passes."""
    maximum: float | None = Field(None, ge=-1e9, le=1e9, allow_inf_nan=False)
    """Maximum that passes."""
    slice_minimum: float | None = Field(None, ge=-1e9, le=1e9, allow_inf_nan=False)
    """Minimum that passes, for each slice of `evaluation.slices` with enough positives or rows."""
    slice_maximum: float | None = Field(None, ge=-1e9, le=1e9, allow_inf_nan=False)
    """Maximum that passes, for each such slice."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> "Gate":
        if self.minimum is None and self.maximum is None:
            raise ValueError("give minimum, maximum or both; slice_minimum and slice_maximum are in addition to them")
        for prefix, (minimum, maximum) in [("", (self.minimum, self.maximum)), ("slice_", self.slice_bounds())]:
            if minimum is not None and maximum is not None and minimum > maximum:
                raise ValueError(f"{prefix}minimum {minimum} is above {prefix}maximum {maximum}: nothing passes")
        return self

    def slice_bounds(self) -> tuple[float | None, float | None]:
        """Return the minimum and maximum of every slice."""
        return self.slice_minimum, self.slice_maximum

    def has_slice_bounds(self) -> bool:
        """Return whether slices have bounds."""
        return self.slice_bounds() != (None, None)


Gates = dict[GateMetric, Gate]
"""The gate of each metric, by its name."""


class ChampionGate(SpecPart):
    """The comparison of a model with the champion of the registry, both scored on the same holdout rows."""

    metric: ComparedMetric = "average_precision"
    """Metric that decides; all comparable metrics are measured for both models. By default average_precision for task
    binary, log_loss for multiclass, and rmse for regression, or pinball_loss if it has quantiles."""
    margin: float = Field(0.02, ge=0, allow_inf_nan=False, le=1000)
    """Difference by which the model may be worse: it passes when the whole confidence interval of the difference lies
    above minus this. For metrics in the unit of the target (rmse, mae, median_absolute_error and pinball_loss) it is a
    share of the champion's value: 0.02 is 2 %."""

    def lowest_difference(self, champion_value: float) -> float:
        """Return the lowest difference that passes, in the unit of the metric."""
        return lowest_difference(self.metric, self.margin, champion_value)
