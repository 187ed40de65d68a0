"""Metrics of a model on its holdout, overall and by slice, with confidence intervals."""

import math
from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.core.metrics.bootstrap import Interval, day_interval, row_intervals
from ml_assets.core.metrics.paired_comparison import Measure, compare_predictions
from ml_assets.core.metrics.precision_at_k import daily_entity_precision_at_k, daily_precision_at_k
from ml_assets.core.metrics.resampled import point_values
from ml_assets.core.metrics.scored_rows import CHAMPION_PREFIX, ScoredRows, TaskMetrics, task_metrics
from ml_assets.core.model.target import encode_target
from ml_assets.core.model_spec import ModelSpec
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
        holdout_days: the days of the holdout; rows of other days are refused.
        earlier: columns `day`, entity and target, one row per event, from the first day whose positives count through
            the last holdout day. A missing target does not count as positive, and a row without an entity is never
            excluded.

    Raises:
        ValueError: a column is missing, or a row of `frame` lies outside the holdout.
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
    positive = earlier.loc[(encode_target(spec, earlier[spec.target]) == 1) & earlier[spec.entity].notna()]
    first_positive = pd.to_datetime(positive["day"]).groupby(escape_nul(positive[spec.entity]), observed=True).min()
    known_from = pd.to_datetime(escape_nul(frame[spec.entity]).map(first_positive)) + pd.Timedelta(
        spec.label_delay + timedelta(days=1)
    )
    return frame.loc[~(known_from <= days)]


def measure_holdout(spec: ModelSpec, scores: pd.DataFrame, threshold: float | None) -> pd.DataFrame:
    """Compute every metric of the scored holdout, overall and by slice, with confidence intervals.

    The result is tidy: columns metric, slice_column, slice_value, value, low, high, rows, positives.

    Overall rows have an empty slice_column and slice_value, and all metrics that a gate can name
    (`entity_precision_at_k` only with an entity). Each slice column has the metrics that do not depend on the day, for
    its 20 most frequent values (ties in order of their text); slice_value is the value as text, None for rows without a
    value. `low` and `high` bound the percentile interval over `evaluation.bootstrap_samples` resamples of rows, or of
    days for the metrics at k. Undefined values and intervals are NaN. Rows whose target is missing, or whose sample
    weight is 0, are left out; `rows` and `positives` count the others, and `positives` is missing unless the task is
    binary. The result does not depend on the order of the rows.

    Args:
        spec: the model.
        scores: the holdout with `day` (date), the identity columns of the spec, and the predictions of its task, see
            `TaskMetrics`.
        threshold: lowest score of a positive decision; None unless the task is binary.

    Raises:
        ValueError: a column is missing, a target or a prediction is not valid for the task, or the threshold is not
            finite.
    """
    task = task_metrics(spec)
    if task.is_binary and not (threshold is not None and math.isfinite(threshold)):
        raise ValueError(f"the threshold must be a number, not {threshold}")
    _require(scores, ["day", *task.columns, *spec.identity_columns()], "the scored holdout")
    labelled = task.labelled(scores)
    measure, rows = task.measure(threshold), task.read_rows(labelled)
    records = _measure_overall(spec, task, labelled, rows, measure)
    for column in spec.evaluation.slices:
        for text, is_member in _most_frequent_values(labelled[column]):
            records += _measure_rows(spec, measure, rows.select(is_member), column, text)
    return pd.DataFrame(records)


def compare_with_champion(
    spec: ModelSpec, scores: pd.DataFrame, thresholds: tuple[float | None, float | None]
) -> pd.DataFrame:
    """Compare a model with the champion on the labelled rows of the holdout.

    Args:
        spec: the model.
        scores: the holdout with the target, the predictions, and those of the champion with the prefix `champion_`.
        thresholds: lowest score of a positive decision, of the model and of the champion; None unless the task is
            binary.

    Returns:
        One row per compared metric, with the columns of `compare_predictions`.

    Raises:
        ValueError: a column or a prediction is missing, or a target is not valid for the task.
    """
    task = task_metrics(spec)
    champion_columns = [f"{CHAMPION_PREFIX}{column}" for column in task.columns]
    _require(scores, [spec.target, *task.columns, *champion_columns], "the scored holdout")
    labelled = task.labelled(scores)
    rows = task.read_rows(labelled)
    return compare_predictions(
        rows.targets,
        (rows.predictions, task.read_rows(labelled, CHAMPION_PREFIX).predictions),
        (task.measure(thresholds[0]), task.measure(thresholds[1])),
        task.compared,
        weights=rows.weights,
        **_resampling(spec),
    )


def _measure_overall(
    spec: ModelSpec, task: TaskMetrics, frame: pd.DataFrame, rows: ScoredRows, measure: Measure
) -> list[dict[str, object]]:
    records = _measure_rows(spec, measure, rows, OVERALL, OVERALL)
    if task.is_binary:
        records += _measure_days(spec, frame, rows)
    return sorted(records, key=lambda record: task.measured.index(record["metric"]))


def _measure_days(spec: ModelSpec, frame: pd.DataFrame, rows: ScoredRows) -> list[dict[str, object]]:
    """Measure the metrics at k, which ignore weights, because k is the number of rows that people can review in a
    day."""
    k, days, labels, values = spec.evaluation.top_k, frame["day"], rows.targets, rows.predictions
    daily = {"precision_at_k": daily_precision_at_k(days, labels, values, k)}
    if spec.entity is not None:
        daily["entity_precision_at_k"] = daily_entity_precision_at_k(days, frame[spec.entity], labels, values, k)
    counts = {"rows": len(labels), "positives": int(labels.sum())}
    return [
        _record(metric, OVERALL, OVERALL, float(shares.mean()), day_interval(shares, **_resampling(spec)), counts)
        for metric, shares in daily.items()
    ]


def _measure_rows(
    spec: ModelSpec, measure: Measure, rows: ScoredRows, column: str, text: str | None
) -> list[dict[str, object]]:
    metrics = measure(rows.targets, rows.predictions, rows.weights)
    intervals = row_intervals(metrics, **_resampling(spec))
    counts = {"rows": metrics.rows, "positives": metrics.positives}
    return [
        _record(metric, column, text, value, intervals[metric], counts)
        for metric, value in point_values(metrics).items()
    ]


def _record(
    metric: str, column: str, text: str | None, value: float, interval: Interval, counts: dict[str, int | None]
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
    """Return (text, mask of its rows) for each of the most frequent values."""
    codes, values = factorize(column)
    frequency = {code: np.count_nonzero(codes == code) for code in np.unique(codes)}
    # factorize assigns the code -1 to rows without a value.
    texts = {code: None if code < 0 else str(values[code]) for code in frequency}
    ranked = sorted(frequency, key=lambda code: (-frequency[code], texts[code] or ""))
    return [(texts[code], codes == code) for code in ranked[:SLICE_VALUES]]


def _require(frame: pd.DataFrame, columns: list[str], what: str) -> None:
    if missing := [column for column in dict.fromkeys(columns) if column not in frame.columns]:
        raise ValueError(
            f"no column {', '.join(missing)} in {what}; the columns are {', '.join(map(str, frame.columns))}"
        )
