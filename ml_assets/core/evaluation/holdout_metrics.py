"""Metrics of a model on its holdout, overall and by slice, with confidence intervals."""

import math
from collections.abc import Iterable
from datetime import date, timedelta
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.core.metrics.bootstrap import Interval, day_interval, row_intervals
from ml_assets.core.metrics.classification import RowMetrics
from ml_assets.core.metrics.paired_comparison import compare_models
from ml_assets.core.metrics.precision_at_k import daily_entity_precision_at_k, daily_precision_at_k
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.evaluation import GateMetric
from ml_assets.core.tables.nul_characters import escape_nul, factorize

SLICE_VALUES = 20
OVERALL = ""


def exclude_known_positives(
    spec: ModelSpec, frame: pd.DataFrame, holdout_days: list[date], earlier: pd.DataFrame
) -> pd.DataFrame:
    """Exclude holdout rows of entities that were known as positive when the day of the row began.

    Keep all rows unless `evaluation.exclude_known_positives` is set.

    A row of day x is excluded if its entity has a positive label on a day from the first of `earlier` to x -
    label_delay - 1 day, the last day whose labels are known before day x begins. If `earlier` begins 7 days before the
    end of the training window, and with a delay of 7 days, this is the protocol of `get_train_test_set` in the Fraud
    Detection Handbook, chapter 3.

    Args:
        spec: the model.
        frame: holdout rows with the columns `day` and the entity; order and index are kept.
        holdout_days: the days that rows of `frame` may be of.
        earlier: columns `day`, entity and target, one row per event, from the first day whose positives count through
            the last holdout day. A missing target is not positive, and a row without an entity is never excluded.

    Raises:
        ValueError: a column is missing, or a row of `frame` is of a day outside the holdout.
    """
    if not spec.evaluation.exclude_known_positives or spec.entity is None:
        return frame
    _require(frame, ["day", spec.entity], "the holdout")
    _require(earlier, ["day", spec.entity, spec.target], "the earlier rows")
    days = pd.to_datetime(frame["day"])
    if not (within := days.isin(pd.to_datetime(pd.Series(holdout_days)))).all():
        raise ValueError(
            f"the holdout has rows of {days[~within].min():%Y-%m-%d}, which is not one of its days;"
            f" pass rows of {holdout_days} only"
        )
    positive = earlier.loc[earlier[spec.target].eq(1).fillna(False).astype(bool) & earlier[spec.entity].notna()]
    first_positive = pd.to_datetime(positive["day"]).groupby(escape_nul(positive[spec.entity]), observed=True).min()
    known_from = pd.to_datetime(escape_nul(frame[spec.entity]).map(first_positive)) + pd.Timedelta(
        spec.label_delay + timedelta(days=1)
    )
    return frame.loc[~(known_from <= days)]


def measure_holdout(spec: ModelSpec, scores: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Compute every metric of the scored holdout, overall and by slice, with confidence intervals.

    The result is tidy: columns metric, slice_column, slice_value, value, low, high, rows, positives.

    Overall rows have an empty slice_column and slice_value, and all metrics that a gate can name
    (`entity_precision_at_k` only with an entity). Each slice column has the metrics that need no day, for its 20 most
    frequent values (equally frequent ones in order of their text); slice_value is the value as text, None for rows
    without a value. `low` and `high` bound the percentile interval over `evaluation.bootstrap_samples` resamples: of
    rows, for slices as well, and of days for the metrics at k. Undefined values and intervals are NaN. Rows whose
    target is missing are left out; `rows` and `positives` count the others. The result does not depend on the order of
    the rows.

    Args:
        spec: the model.
        scores: the holdout with `day` (date), the identity columns of the spec, and `score` between 0 and 1.
        threshold: lowest score of a positive decision.

    Raises:
        ValueError: a column is missing, a score is missing or not between 0 and 1, a target is neither 0 nor 1, or the
            threshold is not finite.
    """
    if not math.isfinite(threshold):
        raise ValueError(f"the threshold must be a number, not {threshold}")
    _require(scores, ["day", "score", *spec.identity_columns()], "the scored holdout")
    labelled = scores.loc[scores[spec.target].notna()]
    labels, values = _labels(spec, labelled), _scores(labelled)
    records = _measure_overall(spec, labelled, labels, values, threshold)
    for column in spec.evaluation.slices:
        for text, is_member in _most_frequent_values(labelled[column]):
            records += _measure_rows(spec, labels[is_member], values[is_member], threshold, column, text)
    return pd.DataFrame(records)


def compare_with_champion(spec: ModelSpec, scores: pd.DataFrame, thresholds: tuple[float, float]) -> pd.DataFrame:
    """Compare a model with the champion on the labelled rows of the holdout.

    Args:
        spec: the model.
        scores: the holdout with the target, `score` and `champion_score`.
        thresholds: lowest score of a positive decision, of the model and of the champion.

    Returns:
        One row per compared metric, with the columns of `compare_models`.

    Raises:
        ValueError: a column or a score is missing, or a target is neither 0 nor 1.
    """
    _require(scores, [spec.target, "score", "champion_score"], "the scored holdout")
    labelled = scores.loc[scores[spec.target].notna()]
    both = _scores(labelled), _scores(labelled, "champion_score")
    return compare_models(_labels(spec, labelled), both, thresholds, **_resampling(spec))


def _measure_overall(
    spec: ModelSpec, rows: pd.DataFrame, labels: NDArray[np.int64], values: NDArray[np.float64], threshold: float
) -> list[dict[str, object]]:
    k, days = spec.evaluation.top_k, rows["day"]
    daily = {"precision_at_k": daily_precision_at_k(days, labels, values, k)}
    if spec.entity is not None:
        daily["entity_precision_at_k"] = daily_entity_precision_at_k(days, rows[spec.entity], labels, values, k)
    counts = {"rows": len(labels), "positives": int(labels.sum())}
    day_metrics = [
        _record(metric, OVERALL, OVERALL, float(shares.mean()), day_interval(shares, **_resampling(spec)), counts)
        for metric, shares in daily.items()
    ]
    row_metrics = _measure_rows(spec, labels, values, threshold, OVERALL, OVERALL)
    order = get_args(GateMetric)
    return sorted(row_metrics + day_metrics, key=lambda record: order.index(record["metric"]))


def _measure_rows(
    spec: ModelSpec,
    labels: NDArray[np.int64],
    values: NDArray[np.float64],
    threshold: float,
    column: str,
    text: str | None,
) -> list[dict[str, object]]:
    metrics = RowMetrics(labels, values, threshold)
    intervals = row_intervals(metrics, **_resampling(spec))
    counts = {"rows": metrics.rows, "positives": metrics.positives}
    return [
        _record(metric, column, text, value, intervals[metric], counts)
        for metric, value in metrics.point_values().items()
    ]


def _record(
    metric: str, column: str, text: str | None, value: float, interval: Interval, counts: dict[str, int]
) -> dict[str, object]:
    low, high = interval
    return {
        "metric": metric,
        "slice_column": column,
        "slice_value": text,
        "value": value,
        "low": low,
        "high": high,
        **counts,
    }


def _resampling(spec: ModelSpec) -> dict:
    return {
        "samples": spec.evaluation.bootstrap_samples,
        "confidence": spec.evaluation.confidence,
        "seed": spec.training.seed,
    }


def _most_frequent_values(column: pd.Series) -> Iterable[tuple[str | None, NDArray[np.bool_]]]:
    """Return (text, mask of its rows) of each of the most frequent values."""
    codes, values = factorize(column)
    frequency = {code: np.count_nonzero(codes == code) for code in np.unique(codes)}
    # factorize assigns the code -1 to rows without a value.
    texts = {code: None if code < 0 else str(values[code]) for code in frequency}
    ranked = sorted(frequency, key=lambda code: (-frequency[code], texts[code] or ""))
    return [(texts[code], codes == code) for code in ranked[:SLICE_VALUES]]


def _labels(spec: ModelSpec, rows: pd.DataFrame) -> NDArray[np.int64]:
    labels = rows[spec.target]
    if not np.all(labels.isin([0, 1])):
        raise ValueError(f"the target {spec.target} must be 0 or 1 in every labelled row")
    return labels.to_numpy(dtype=np.int64)


def _scores(rows: pd.DataFrame, column: str = "score") -> NDArray[np.float64]:
    values = np.asarray(rows[column].astype("Float64").to_numpy(na_value=np.nan), dtype=np.float64)
    if (bad := np.count_nonzero(~((values >= 0) & (values <= 1)))) > 0:
        raise ValueError(
            f"{column}: {bad} of {len(values)} labelled rows have no score between 0 and 1; score the holdout again"
        )
    return values


def _require(frame: pd.DataFrame, columns: list[str], what: str) -> None:
    if missing := [column for column in dict.fromkeys(columns) if column not in frame.columns]:
        raise ValueError(
            f"no column {', '.join(missing)} in {what}; the columns are {', '.join(map(str, frame.columns))}"
        )
