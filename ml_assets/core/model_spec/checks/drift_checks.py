"""Settings of the checks of drift: of columns, features and scores."""

from datetime import timedelta

from pydantic import Field

from ml_assets.core.model_spec.checks.check import Check
from ml_assets.core.model_spec.types.durations import PositiveDays


class DriftBounds(Check):
    """Bounds on the distance between a day's values and those of the reference days, which all have the same weight. A
    bound of null is not applied."""

    psi: float | None = Field(0.25, gt=0, le=100)
    """Maximum population stability index, over deciles of the reference, or over categories."""
    ks: float | None = Field(0.2, gt=0, le=1)
    """Maximum Kolmogorov-Smirnov distance of numbers. For free text, it bounds the distance of the lengths, and the
    change of the share with non-ASCII characters."""
    cramers_v: float | None = Field(0.25, gt=0, le=1)
    """Maximum Cramér's V (from chi-square) of categories."""
    missing: float | None = Field(0.1, gt=0, le=1)
    """Maximum change of the share of missing values, and maximum increase of the share of wrongly decoded texts among
    those with non-ASCII characters."""

    def distance(self, of_times: bool) -> float:
        """Return the maximum Kolmogorov-Smirnov distance of numbers or of times of day; 1 without a bound."""
        return self.ks or 1.0


class DriftCheck(DriftBounds):
    """Bounds on drift, and the columns or features that are not checked."""

    leave_out: list[str] = []
    """Names of the columns or features that are not checked."""


class ColumnDriftCheck(DriftCheck):
    """Values of the validated columns against the days before. The row key and the target are not checked."""

    reference: PositiveDays = timedelta(days=28)
    """Number of days before the day that are the reference."""
    time_of_day: float | None = Field(0.03, gt=0, le=1)
    """Maximum Kolmogorov-Smirnov distance of the times of day of the events, against the same weekday of the
    reference."""
    distinct: float | None = Field(0.3, gt=0, le=1000)
    """Maximum relative change of the number of distinct values per row, against reference days with about as many
    rows."""

    def distance(self, of_times: bool) -> float:
        """Return the maximum Kolmogorov-Smirnov distance of numbers or of times of day; 1 without a bound."""
        return (self.time_of_day if of_times else self.ks) or 1.0
