"""The quality of the predictions of a day: estimated before their labels are known, and realised afterwards."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import inf, isnan
from typing import Any

import numpy as np
import pandas as pd

from ml_assets.core.metrics.bootstrap import Interval, row_intervals
from ml_assets.core.metrics.estimated_classes import ClassCalibration, ClassEstimate, why_classes_not_estimated
from ml_assets.core.metrics.estimated_performance import (
    IsotonicCalibration,
    PerformanceEstimate,
    why_not_estimated,
)
from ml_assets.core.metrics.resampled import NAN, point_values
from ml_assets.core.metrics.scored_rows import TaskMetrics
from ml_assets.core.model_spec.deployment import QualityEstimate
from ml_assets.core.model_spec.types.metric_names import quality_metrics
from ml_assets.core.model_spec.types.task import BINARY, REGRESSION

ESTIMATE, REALISED = "estimated", "realised"
NO_ESTIMATE = (
    "a regression is not estimated: its predictions carry no probability of their own error. Direct loss estimation "
    "would need a second model of the errors, trained, gated and watched as the first; realised metrics follow when "
    "the labels come"
)
UNDEFINED = "undefined on these rows, as recall is without positives"
Row = dict[str, Any]


@dataclass(frozen=True)
class ScoredHoldout:
    """The labelled rows on which a model was evaluated, with its predictions, as `ScoredRows` has them.

    metrics: the metrics of these rows by name. problem: the reason why the rows are unknown, or None.
    """

    targets: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    predictions: np.ndarray = field(default_factory=lambda: np.zeros(0))
    metrics: Mapping[str, float] = field(default_factory=dict)
    problem: str | None = None


def estimate_quality(
    day: date,
    predictions: pd.DataFrame,
    holdouts: Mapping[str, ScoredHoldout],
    settings: QualityEstimate,
    metrics: TaskMetrics,
    seed: int,
) -> list[Row]:
    """Estimate the metrics of the predictions of a day, by side.

    Args:
        day: the day of the predictions.
        predictions: the predictions, side and model_version of each row; for a binary target also the decision.
        holdouts: the holdout of the model of each side.
        settings: settings of the calibration and the intervals.
        metrics: metrics of the model's task, without sample weights: each row counts once.
        seed: seed of the random numbers.

    Returns:
        Rows of prediction_quality; a row that cannot be estimated has the reason instead of a value.
    """
    rows: list[Row] = []
    for side, version, scored in _by_side(predictions):
        holdout = holdouts.get(side, ScoredHoldout(problem=f"the {side} of {day} is not known"))
        reason = holdout.problem or _why_not_estimated(metrics, holdout, settings.minimum_positives)
        quality = _Quality(note=reason) if reason else _estimate(scored, holdout, settings, metrics, seed)
        rows += _rows(day, ESTIMATE, side, version, holdout, len(scored), quality, metrics)
    return rows


def measure_quality(
    day: date,
    predictions: pd.DataFrame,
    holdouts: Mapping[str, ScoredHoldout],
    settings: QualityEstimate,
    metrics: TaskMetrics,
    seed: int,
) -> list[Row]:
    """Measure the metrics of the predictions of a day whose labels are known, by side.

    Args:
        day: the day of the predictions.
        predictions: as in `estimate_quality`, and the label (NaN where there is none), encoded as `encode_target` does.
        holdouts, settings, metrics, seed: as in `estimate_quality`.
    """
    rows: list[Row] = []
    for side, version, scored in _by_side(predictions[predictions["label"].notna()]):
        quality = _measure(scored, settings, metrics, seed)
        rows += _rows(day, REALISED, side, version, holdouts.get(side, ScoredHoldout()), len(scored), quality, metrics)
    return rows


def threshold_of(scored: pd.DataFrame) -> float:
    """Return the threshold implied by the scores and decisions of one model: the lowest score with a positive
    decision."""
    positive = scored.loc[scored["decision"].astype(bool), "score"]
    return float(positive.min()) if len(positive) else inf


def join_estimated_and_realised(rows: Iterable[Mapping[str, object]]) -> list[Row]:
    """Join the estimated and realised rows of prediction_quality by day, side and metric, ascending.

    Returns:
        One row for each, with `estimated`, `low` and `high`, and `realised`, which is None until the labels are known.
    """
    joined: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        key = str(row["predicted_on"]), str(row["side"]), str(row["metric"])
        target = joined.setdefault(
            key,
            {
                **{name: row[name] for name in ("predicted_on", "side", "model_version", "metric")},
                **dict.fromkeys(("estimated", "low", "high", "realised", "realised_low", "realised_high")),
                "holdout_value": row["holdout_value"],
            },
        )
        if row["kind"] == ESTIMATE:
            target |= {"estimated": row["value"], "low": row["low"], "high": row["high"]}
        else:
            target |= {"realised": row["value"], "realised_low": row["low"], "realised_high": row["high"]}
    return [joined[key] for key in sorted(joined)]


def _by_side(predictions: pd.DataFrame) -> Iterator[tuple[str, int, pd.DataFrame]]:
    for (side, version), scored in predictions.groupby(["side", "model_version"], sort=True):
        yield str(side), int(version), scored


@dataclass(frozen=True)
class _Quality:
    """Metrics of the predictions of one side, with their intervals. note: the reason if there are none."""

    values: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    positives: float | None = None
    note: str | None = None


def _why_not_estimated(metrics: TaskMetrics, holdout: ScoredHoldout, minimum: int) -> str | None:
    if metrics.task == REGRESSION:
        return NO_ESTIMATE
    if metrics.task == BINARY:
        return why_not_estimated(holdout.targets, minimum)
    return why_classes_not_estimated(holdout.targets, metrics.outputs.classes, minimum)


def _estimate(
    scored: pd.DataFrame, holdout: ScoredHoldout, settings: QualityEstimate, metrics: TaskMetrics, seed: int
) -> _Quality:
    predictions = metrics.read_predictions(scored)
    if metrics.is_binary:
        calibration = IsotonicCalibration(holdout.targets, holdout.predictions)
        estimate = PerformanceEstimate(calibration, predictions, threshold_of(scored))
        positives = estimate.positives
    else:
        calibration = ClassCalibration(holdout.targets, holdout.predictions)
        estimate = ClassEstimate(calibration, predictions, metrics.class_names, metrics.top_classes)
        positives = None
    intervals = estimate.intervals(settings.samples, settings.confidence, seed)
    return _Quality(estimate.values(), intervals, positives)


def _measure(scored: pd.DataFrame, settings: QualityEstimate, metrics: TaskMetrics, seed: int) -> _Quality:
    labels = scored["label"].to_numpy(dtype=np.float64 if metrics.task == REGRESSION else np.int64)
    measure = metrics.measure(threshold_of(scored) if metrics.is_binary else None)
    measured = measure(labels, metrics.read_predictions(scored), None)
    intervals = row_intervals(measured, settings.samples, settings.confidence, seed)
    return _Quality(point_values(measured), intervals, float(labels.sum()) if metrics.is_binary else None)


def _rows(
    day: date,
    kind: str,
    side: str,
    version: int,
    holdout: ScoredHoldout,
    count: int,
    quality: _Quality,
    metrics: TaskMetrics,
) -> list[Row]:
    return [
        {
            "predicted_on": day,
            "kind": kind,
            "side": side,
            "model_version": version,
            "metric": name,
            "value": _defined(quality.values.get(name, NAN)),
            "low": _defined(quality.intervals.get(name, (NAN, NAN))[0]),
            "high": _defined(quality.intervals.get(name, (NAN, NAN))[1]),
            "holdout_value": _defined(holdout.metrics.get(name, NAN)),
            "rows": count,
            "positives": quality.positives,
            "note": quality.note or (UNDEFINED if isnan(quality.values.get(name, NAN)) else None),
        }
        for name in quality_metrics(metrics.outputs)
    ]


def _defined(value: float) -> float | None:
    return None if isnan(value) else value
