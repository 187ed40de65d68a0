"""Named figures of a day of features, as a question in SQL would give them: rows, distinct entities, the average of a
column.
"""

from datetime import date

import numpy as np
import pandas as pd

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks import Metric, Severity

ROW_COUNT = "row_count"


def all_metrics(spec: ModelSpec) -> list[Metric]:
    """`row_count`, `distinct_<entity>` where there is an entity, and the metrics of the specification."""
    given = [Metric(name=ROW_COUNT, aggregate="rows")]
    if spec.entity is not None:
        given.append(Metric(name=f"distinct_{spec.entity}", aggregate="distinct", column=spec.entity))
    return [*given, *spec.metrics]


def measure_features(spec: ModelSpec, features: pd.DataFrame) -> pd.DataFrame:
    """Columns metric and value (float64), a row for each of `all_metrics`; a figure of no values is NaN, a sum of none
    0.
    """
    metrics = all_metrics(spec)
    return pd.DataFrame(
        {"metric": [metric.name for metric in metrics], "value": [_measured(metric, features) for metric in metrics]}
    )


def evaluate_metrics(
    spec: ModelSpec, check: str, day: date, values: dict[str, float], severity: Severity
) -> CheckOutcome:
    """Whether every figure of a day is within its bounds; a figure that has bounds and no value is not.

    Args:
        spec: the model.
        check: name of the check.
        day: the day.
        values: figures by name; none at all for a day without rows that is not judged.
        severity: of a failure.
    """
    if not values:
        return CheckOutcome(check, day, None, "the day has no figures", severity)
    lines, outside = [], []
    for metric in all_metrics(spec):
        value = values.get(metric.name, np.nan)
        bounded = metric.at_least is not None or metric.at_most is not None
        low, high = (
            bound if bound is not None else limit
            for bound, limit in ((metric.at_least, -np.inf), (metric.at_most, np.inf))
        )
        wrong = bounded and not low <= value <= high
        lines.append(
            {
                "metric": metric.name,
                "value": value,
                "at_least": metric.at_least,
                "at_most": metric.at_most,
                "outside": wrong,
            }
        )
        if wrong:
            outside.append(f"{metric.name} {value:.6g} is not {_bounds(metric)}")
    lines.sort(key=lambda line: not line["outside"])
    return CheckOutcome(
        check, day, not outside, "; ".join(outside) or f"{len(lines)} figures are within their bounds", severity, lines
    )


def _measured(metric: Metric, features: pd.DataFrame) -> float:
    if metric.column is None:
        return float(len(features))
    values = features[metric.column]
    match metric.aggregate:
        case "distinct":
            return float(values.nunique())
        case "missing_share":
            return float(values.isna().mean()) if len(values) else float("nan")
    numbers = values.dropna().to_numpy(np.float64)
    if metric.aggregate == "sum":
        return float(numbers.sum())
    return (
        float(getattr(numbers, {"mean": "mean", "minimum": "min", "maximum": "max"}[metric.aggregate])())
        if len(numbers)
        else float("nan")
    )


def _bounds(metric: Metric) -> str:
    sides = [("at least", metric.at_least), ("at most", metric.at_most)]
    return " and ".join(f"{side} {bound:g}" for side, bound in sides if bound is not None)
