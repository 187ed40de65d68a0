"""The checks of a day in addition to its contract: their bounds, their severity, and whether a failure blocks."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import PositiveDays
from ml_assets.core.model_spec.types.metric_names import ComparedMetric
from ml_assets.core.model_spec.types.numbers import format_number

Severity = Literal["warn", "error"]
ALL_CHECKS, CONTRACT = "all", "contract_"
SETTINGS = ("accepted", "contract", "by_partition")
"""Fields of `Checks` that are not checks."""


def contract_check_name(column: str) -> str:
    """Return the name of the check of a column, or of `row_key`, with the characters that Dagster allows."""
    return CONTRACT + re.sub(r"[^A-Za-z0-9_]", "_", column)


class Check(SpecPart):
    """The severity of a failing check."""

    severity: Severity = "error"
    """Severity of a failure in Dagster: error or warn."""

    blocking: bool = False
    """Whether a failure stops the downstream stages: a run in which no day passes stops, and no model is trained as of
    a day that fails. In a run over many days, the days that pass continue."""

    @model_validator(mode="after")
    def _only_errors_stop(self) -> "Check":
        if self.blocking and self.severity == "warn":
            raise ValueError("a check of severity warn cannot block; leave out blocking, or set severity to error")
        return self


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


class MissingShareCheck(Check):
    """Missing values of a feature on a day, from the first day with complete windows on."""

    maximum: float = Field(0.99, ge=0, le=1)
    """Maximum share of missing values."""


class TargetLeakageCheck(Check):
    """A feature that predicts the target by itself, and so may be the target in another form. For a binary target, or
    one class against the others, leakage is suspected when both `roc_auc` and `average_precision` are reached; for a
    regression, when `rank_correlation` is."""

    roc_auc: float = Field(0.99, gt=0.5, le=1)
    """ROC AUC of the feature alone, in either direction, from which leakage is suspected."""
    average_precision: float = Field(0.9, gt=0, le=1)
    """Average precision of the feature alone from which leakage is suspected."""
    min_positives: int = Field(5, ge=1, le=1_000_000_000)
    """Minimum number of positives, and of negatives, for a day to be checked; for task multiclass, of rows of a
    class."""
    rank_correlation: float = Field(0.995, gt=0, le=1)
    """Absolute rank correlation (Spearman) of the feature alone with the target of a regression from which leakage is
    suspected."""


class PredictionQualityCheck(Check):
    """The estimated and the realised quality of predictions against the holdout. Only with `deployment.quality`."""

    severity: Severity = "warn"
    metric: ComparedMetric = "average_precision"
    """Metric that is compared; for task binary, one that can be estimated. By default `champion.metric`, if it can."""
    max_drop: float = Field(0.15, gt=0, le=1)
    """Maximum difference by which the metric may be worse than on the holdout; a difference that chance explains
    passes. For metrics in the unit of the target, a share of the holdout's value."""
    minimum_rows: int = Field(50, ge=1, le=1_000_000_000)
    """Minimum number of rows for a day to be compared."""
    minimum_positives: int = Field(5, ge=1, le=1_000_000_000)
    """Minimum number of positives, estimated or realised, for a day to be compared; for task binary only."""


class ServedFeaturesCheck(Check):
    """Compares features of served requests with the batch features of the same rows. Only with `deployment.capture`."""

    severity: Severity = "warn"
    max_differing_share: float = Field(0.01, ge=0, le=1)
    """Maximum share of rows in which a feature differs."""
    tolerance: float = Field(1e-9, ge=0, le=1)
    """Relative difference up to which two numbers count as equal."""


class Checks(SpecPart):
    """The checks of each day in addition to its contract; null switches a check off. A failing data check does not keep
    the day from being published. A check without a severity has the one shown here, or error if it blocks."""

    every_day_accepted: Check = Check()
    """No day is missing or rejected by `quality`. It cannot be switched off."""
    contract: bool = True
    """Whether each column and the row key have a check of their own. Violations are counted and rows quarantined either
    way."""
    files_read: Check | None = Check(severity="warn")
    """Every landed file could be read completely, has rows, and has no new columns, which are in neither the contract
    nor the files of earlier days."""
    row_count: RowCountCheck | None = RowCountCheck()
    no_gaps: GapsCheck | None = GapsCheck()
    no_repeated_day: Check | None = Check()
    """The rows of the day are not those of one of the 28 days before, landed again under another date."""
    column_drift: ColumnDriftCheck | None = ColumnDriftCheck()
    label_rate: LabelRateCheck | None = LabelRateCheck()
    no_infinities: Check | None = Check()
    """No feature has an infinite value; only custom functions can return one."""
    missing_share: MissingShareCheck | None = MissingShareCheck()
    not_constant: Check | None = Check()
    """No feature has the same value in all rows of a day, unless the training window makes that likely."""
    target_leakage: TargetLeakageCheck | None = TargetLeakageCheck()
    feature_drift: DriftCheck | None = DriftCheck(severity="warn")
    training_serving_skew: Check | None = Check()
    """The features of the newest day of a run are the same when they are rebuilt from only the data known at each
    moment, as at serving time."""
    feature_metrics: Check | None = Check()
    """Every metric of `metrics` is within its bounds."""
    score_drift: DriftBounds | None = DriftBounds(severity="warn")
    """Compares the scores of each day of the holdout with those of the training window."""
    served_features: ServedFeaturesCheck | None = ServedFeaturesCheck()
    served_feature_drift: DriftCheck | None = DriftCheck(severity="warn")
    """Compares features of served requests with the training window of the day's model, with `deployment.capture`."""
    prediction_quality: PredictionQualityCheck | None = PredictionQualityCheck()
    label_timeliness: LabelTimelinessCheck | None = LabelTimelinessCheck()
    label_match: LabelMatchCheck | None = LabelMatchCheck()
    by_partition: bool = False
    """Whether Dagster stores the result of a day with its partition. Partitioned asset checks are a preview feature of
    Dagster and may change; a run over many days stores one event for each check and day."""
    accepted: dict[date, list[str]] = {}
    """Days that somebody has examined and accepted: for each day, the names of the checks (or `all`) that pass whatever
    their result is. A day without rows that is accepted for `no_gaps` is not a gap for later days."""

    @model_validator(mode="after")
    def _accepted_names_checks(self) -> "Checks":
        known = {name for name in type(self).model_fields if name not in SETTINGS} | {ALL_CHECKS}
        for day, names in self.accepted.items():
            # Contract checks are named after columns, which are not known here; `check_checks` tests their names.
            if unknown := [name for name in names if name not in known and not name.startswith(CONTRACT)]:
                checks = f"{', '.join(sorted(known))} and {CONTRACT}<column>"
                raise ValueError(f"accepted.{day}: there is no check {', '.join(unknown)}; the checks are {checks}")
        return self

    def enabled(self) -> Iterator[tuple[str, Check]]:
        """Yield (name, settings) of every check that is not switched off."""
        for name in type(self).model_fields:
            if isinstance(settings := getattr(self, name), Check):
                yield name, settings

    def is_accepted(self, check: str, day: date) -> bool:
        """Return whether a failure of the check on the day is accepted."""
        return bool({check, ALL_CHECKS} & set(self.accepted.get(day, [])))
