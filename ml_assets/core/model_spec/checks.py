"""The checks that a day has to pass beside its contract: what is judged, how far it may be off, how grave that is, and
what it stops.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import PositiveDays

Severity = Literal["warn", "error"]
ALL_CHECKS, CONTRACT = "all", "contract_"


def contract_check_name(column: str) -> str:
    """Name of the check of a column, or of `row_key`: Dagster takes letters, digits and underscores only."""
    return CONTRACT + re.sub(r"[^A-Za-z0-9_]", "_", column)


class Check(SpecPart):
    """How grave it is when a check fails."""

    severity: Severity = "error"
    """error or warn, as Dagster shows it."""

    blocking: bool = False
    """Whether what follows stops when the check fails: a run in which no day passes goes no further, and no model is
    made of a day that fails. In a run over many days the others go on."""

    @model_validator(mode="after")
    def _only_errors_stop(self) -> "Check":
        if self.blocking and self.severity == "warn":
            raise ValueError("a check of severity warn stops nothing; leave out blocking, or make the severity error")
        return self


class RowCountCheck(Check):
    """Rows of a day against the median of the same weekday in the weeks before."""

    tolerance: float = Field(0.4, gt=0, lt=1)
    """How much smaller than the median the count may be, as a share; and the median, than the count. With 0.4: from 60
    % to 167 % of the median.
    """

    weeks: int = Field(4, ge=1)
    """How many weeks back the same weekday is looked at; with fewer than two such days, all days of these weeks stand
    in.
    """


class GapsCheck(Check):
    """Days without rows among the days before."""

    severity: Severity = "warn"
    look_back: PositiveDays = timedelta(days=7)
    """How many days before the day must have rows, as far as the source goes back."""


class DriftBounds(Check):
    """How far a day's values may be from those of the reference days, each of which has the same weight. A bound that
    is null is not applied.
    """

    psi: float | None = Field(0.25, gt=0)
    """Largest population stability index, over tenths of the reference, or over categories."""
    ks: float | None = Field(0.2, gt=0, le=1)
    """Largest Kolmogorov-Smirnov distance of numbers; of texts that are not categories, of their lengths and of having
    characters beyond ASCII.
    """
    cramers_v: float | None = Field(0.25, gt=0, le=1)
    """Largest Cramér's V (from chi-square) of categories."""
    missing: float | None = Field(0.1, gt=0, le=1)
    """Largest change of the share of missing values; and largest rise of the share of broken texts among those with
    characters beyond ASCII.
    """

    def distance(self, of_times: bool) -> float:
        """Largest Kolmogorov-Smirnov distance of numbers, or of times of the day; 1, which nothing exceeds, where it is
        not bounded.
        """
        return self.ks or 1.0


class DriftCheck(DriftBounds):
    """Bounds of drift, and what is not judged by them."""

    leave_out: list[str] = []
    """Names that are not judged."""


class ColumnDriftCheck(DriftCheck):
    """Values of the validated columns against the days before; keys of rows and the target are not judged."""

    reference: PositiveDays = timedelta(days=28)
    """How many days before the day are the reference."""
    time_of_day: float | None = Field(0.03, gt=0, le=1)
    """Largest Kolmogorov-Smirnov distance of the hours of the events, against the same weekday of the reference."""
    distinct: float | None = Field(0.3, gt=0)
    """Largest change of the number of different values for each row, as a share of that in the reference; for days of
    about as many rows.
    """

    def distance(self, of_times: bool) -> float:
        """Largest Kolmogorov-Smirnov distance of numbers, or of times of the day; 1, which nothing exceeds, where it is
        not bounded.
        """
        return (self.time_of_day if of_times else self.ks) or 1.0


class LabelRateCheck(Check):
    """Share of positives among the labelled rows of a day."""

    minimum: float | None = Field(None, ge=0, le=1)
    """Smallest share."""
    maximum: float | None = Field(None, ge=0, le=1)
    """Largest share."""
    factor: float | None = Field(5.0, gt=1)
    """How many times larger or smaller than in the four weeks before the share may be, beyond what chance explains."""

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> "LabelRateCheck":
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        return self


class LabelTimelinessCheck(Check):
    """Labels of the holdout that are there by the end of `label_delay`."""

    severity: Severity = "warn"
    max_late_share: float = Field(0.05, ge=0, le=1)
    """Largest share of labels that counted only after `label_delay` (labels in files of their own)."""
    max_unlabelled_share: float = Field(0.05, ge=0, le=1)
    """Largest share of rows without a label, where such rows are left out."""


class MissingShareCheck(Check):
    """Missing values of a feature on a day, once the days that its windows reach are all there."""

    maximum: float = Field(0.99, ge=0, le=1)
    """Largest share of missing values."""


class TargetLeakageCheck(Check):
    """A single feature that by itself tells the label, both bounds reached, looks like the label in another form."""

    roc_auc: float = Field(0.99, gt=0.5, le=1)
    """ROC AUC of the feature alone, in either direction, from which it is suspected."""
    average_precision: float = Field(0.9, gt=0, le=1)
    """Average precision of the feature alone from which it is suspected."""
    min_positives: int = Field(5, ge=1)
    """Fewer positives (or negatives) on a day say nothing."""


class Metric(SpecPart):
    """A named figure of each day's features, with bounds if wanted."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Name of the figure in the table feature_metrics."""
    aggregate: Literal["rows", "distinct", "sum", "mean", "minimum", "maximum", "missing_share"]
    """What is counted or computed; missing values do not count."""
    column: str | None = None
    """Identity column or feature; only `rows` does without."""
    at_least: float | None = Field(None, allow_inf_nan=False)
    """Smallest good value."""
    at_most: float | None = Field(None, allow_inf_nan=False)
    """Largest good value."""

    @model_validator(mode="after")
    def _has_a_column(self) -> "Metric":
        if (self.column is None) != (self.aggregate == "rows"):
            raise ValueError(
                f"{self.name}: aggregate {self.aggregate} {'takes no' if self.aggregate == 'rows' else 'needs a'} column"
            )
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"{self.name}: at_least {self.at_least:g} is above at_most {self.at_most:g}")
        return self


class Checks(SpecPart):
    """Checks of each day beside its contract; null switches one off. Those of data judge the day itself, so a day may
    be published and flagged.
    """

    every_day_accepted: Check = Check()
    """No day is rejected by `quality`, or missing."""
    contract: bool = True
    """Whether each column, and the key of the rows, has a check of its own. Broken rules are counted either way, and
    rows quarantined.
    """
    files_read: Check | None = Check(severity="warn")
    """Every landed file could be read whole, has rows, and no columns that neither the contract nor the files of the
    days before have.
    """
    row_count: RowCountCheck | None = RowCountCheck()
    no_gaps: GapsCheck | None = GapsCheck()
    column_drift: ColumnDriftCheck | None = ColumnDriftCheck()
    label_rate: LabelRateCheck | None = LabelRateCheck()
    no_infinities: Check | None = Check()
    """No feature has an infinite value; only functions of your own can give any."""
    missing_share: MissingShareCheck | None = MissingShareCheck()
    not_constant: Check | None = Check()
    """No feature has a single value on a day, where by the training window that cannot be chance."""
    target_leakage: TargetLeakageCheck | None = TargetLeakageCheck()
    feature_drift: DriftCheck | None = DriftCheck(severity="warn")
    training_serving_skew: Check | None = Check()
    """The features of the newest day of a run come out the same when rows are built one moment at a time, as when they
    are scored.
    """
    feature_metrics: Check | None = Check()
    """Every figure of `metrics` is within its bounds."""
    score_drift: DriftBounds | None = DriftBounds(severity="warn")
    """Scores of each day of the holdout against those of the training window."""
    label_timeliness: LabelTimelinessCheck | None = LabelTimelinessCheck()
    accepted: dict[date, list[str]] = {}
    """Days that were looked at and are right as they are: names of checks (or `all`) that pass on the day whatever they
    find. A day without rows that is accepted for `no_gaps` is no gap for the days after it."""

    @model_validator(mode="after")
    def _accepted_names_checks(self) -> "Checks":
        known = {name for name in type(self).model_fields if name not in ("accepted", "contract")} | {ALL_CHECKS}
        for day, names in self.accepted.items():
            # Those of the contract are named after columns, which are not known here.
            if unknown := [name for name in names if name not in known and not name.startswith(CONTRACT)]:
                there = f"{', '.join(sorted(known))} and {CONTRACT}<column>"
                raise ValueError(f"accepted.{day}: there is no check {', '.join(unknown)}; the checks are {there}")
        return self

    def enabled(self) -> Iterator[tuple[str, Check]]:
        """(name, settings) of every check that is not switched off."""
        for name in type(self).model_fields:
            if isinstance(found := getattr(self, name), Check):
                yield name, found

    def is_accepted(self, check: str, day: date) -> bool:
        """Whether somebody looked at the day and accepts what the check finds."""
        return bool({check, ALL_CHECKS} & set(self.accepted.get(day, [])))
