"""Settings of the checks of features, of predictions, and of features as served."""

from pydantic import Field

from ml_assets.core.model_spec.checks.check import Check, Severity
from ml_assets.core.model_spec.types.metric_names import ComparedMetric


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
