"""Settings of the checks of rows and labels: their number, gaps, rate, time and match."""

from datetime import timedelta

from pydantic import Field, model_validator

from ml_assets.core.model_spec.checks.check import Check, Severity
from ml_assets.core.model_spec.types.durations import PositiveDays
from ml_assets.core.model_spec.types.numbers import format_number


class RowCountCheck(Check):
    """The number of rows of a day against the median of the same weekday in the weeks before."""

    tolerance: float = Field(0.4, gt=0, lt=1)
    """Share by which the count may fall below the median, or the median below the count. With 0.4, counts from 60 % to
    167 % of the median pass."""

    weeks: int = Field(4, ge=1, le=520)
    """Number of preceding weeks whose same weekday is compared. If fewer than two such days exist, all days of these
    weeks are used, and a day close to the only one of its weekday passes too."""


class GapsCheck(Check):
    """Days without rows before the day."""

    severity: Severity = "warn"
    look_back: PositiveDays = timedelta(days=7)
    """Number of days before the day that must have rows, from `source.start` on."""


class LabelRateCheck(Check):
    """The share of positives, or of each class, among the labelled rows of a day; for task regression, mean and
    quantiles of the target, to which the bounds do not apply."""

    minimum: float | None = Field(None, ge=0, le=1)
    """Smallest share."""
    maximum: float | None = Field(None, ge=0, le=1)
    """Largest share."""
    factor: float | None = Field(5.0, gt=1, le=1_000_000)
    """Maximum ratio, in either direction, of the share to that of the four weeks before; a difference that chance
    explains passes. For task regression, it bounds the ratio of the means in the same way, and the distance of mean and
    quantiles from their median over these weeks, in multiples of the distance within which three quarters of the days
    lie."""

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> "LabelRateCheck":
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {format_number(self.minimum)} is above maximum {format_number(self.maximum)}")
        return self


class LabelTimelinessCheck(Check):
    """Labels of the holdout that had arrived by the end of `label_delay`."""

    severity: Severity = "warn"
    max_late_share: float = Field(0.05, ge=0, le=1)
    """Maximum share of labels that became known after `label_delay` (for labels in files of their own)."""
    max_unlabelled_share: float = Field(0.05, ge=0, le=1)
    """Maximum share of rows without a label, where such rows are excluded."""


class LabelMatchCheck(Check):
    """Delivered labels that match no row of the lake, including rejected and quarantined rows. Labels whose rows may be
    outside the lake do not count: labels that became known less than `label_delay` after its first day, or after a day
    whose rows are missing. The check names keys that differ from a row's key only in leading zeros, surrounding space,
    letter case, a trailing .0 or separators."""

    max_unmatched_share: float = Field(0.05, ge=0, le=1)
    """Maximum share of labels that belong to no row."""
