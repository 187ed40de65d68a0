"""Feature metrics: aggregates of one day of features, such as row count, distinct entities or the mean of a column."""

from datetime import date

import numpy as np
import pandas as pd

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.check import Severity
from ml_assets.core.model_spec.types.feature_metric import ROW_COUNT_METRIC, Metric
from ml_assets.core.model_spec.types.numbers import format_number
from ml_assets.core.tables.nul_characters import escape_nul

LARGEST_SUMMED = 1e290


class BuiltInMetric(Metric):
    """A metric of every model. Its name may contain the name of a column, so any characters are allowed."""

    name: str


def list_metrics(spec: ModelSpec) -> list[Metric]:
    """List `row_count`, `distinct_<entity>` if the model has an entity, and the metrics of the specification."""
    built_in = [BuiltInMetric(name=ROW_COUNT_METRIC, aggregate="rows")]
    if spec.entity is not None:
        built_in.append(BuiltInMetric(name=f"distinct_{spec.entity}", aggregate="distinct", column=spec.entity))
    return [*built_in, *spec.metrics]


def measure_features(spec: ModelSpec, features: pd.DataFrame) -> pd.DataFrame:
    """Compute the metrics of `list_metrics` as a frame with the columns metric and value (float64).

    Without values a metric is NaN, except for sums and counts, which are 0.
    """
    metrics = list_metrics(spec)
    return pd.DataFrame(
        {"metric": [metric.name for metric in metrics], "value": [_aggregate(metric, features) for metric in metrics]}
    )


def evaluate_metrics(
    spec: ModelSpec, check: str, day: date, values: dict[str, float], severity: Severity
) -> CheckOutcome:
    """Check that every metric of a day is within its bounds; a metric with bounds but without a value fails.

    Args:
        spec: the model.
        check: name of the check.
        day: the day.
        values: metrics by name; a day without metrics or without rows is not evaluated.
        severity: severity of a failure.
    """
    if not values:
        return CheckOutcome(check, day, None, "the day has no metrics", severity)
    if values.get(ROW_COUNT_METRIC) == 0:
        return CheckOutcome(check, day, None, "the day has no rows", severity)
    lines, outside = [], []
    for metric in list_metrics(spec):
        value = values.get(metric.name, np.nan)
        bounded = metric.at_least is not None or metric.at_most is not None
        low, high = (
            bound if bound is not None else limit
            for bound, limit in ((metric.at_least, -np.inf), (metric.at_most, np.inf))
        )
        is_outside = bounded and not low <= value <= high
        lines.append(
            {
                "metric": metric.name,
                "value": value,
                "at_least": metric.at_least,
                "at_most": metric.at_most,
                "outside": is_outside,
            }
        )
        if is_outside:
            outside.append(f"{metric.name} {format_number(value)} is not {_describe_bounds(metric)}")
    lines.sort(key=lambda line: not line["outside"])
    reason = "; ".join(outside) or f"{len(lines)} metrics are within their bounds"
    return CheckOutcome(check, day, not outside, reason, severity, lines)


def _aggregate(metric: Metric, features: pd.DataFrame) -> float:
    if metric.column is None:
        return float(len(features))
    values = features[metric.column]
    match metric.aggregate:
        case "distinct":
            return float(escape_nul(values).nunique())
        case "missing_share":
            return float(values.isna().mean()) if len(values) else float("nan")
    numbers = values.dropna().to_numpy(np.float64)
    if metric.aggregate == "sum":
        with np.errstate(over="ignore"):
            return float(numbers.sum())
    if not len(numbers):
        return float("nan")
    if metric.aggregate == "mean":
        # The sum of large values may exceed the range of doubles even if their mean does not.
        return float(numbers.mean() if np.abs(numbers).max() < LARGEST_SUMMED else (numbers / len(numbers)).sum())
    return float(getattr(numbers, {"minimum": "min", "maximum": "max"}[metric.aggregate])())


def _describe_bounds(metric: Metric) -> str:
    bounds = [("at least", metric.at_least), ("at most", metric.at_most)]
    return " and ".join(f"{relation} {format_number(bound)}" for relation, bound in bounds if bound is not None)
