"""The quality of the predictions of a day: estimated before their labels are known, and realised afterwards."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import inf, isnan
from typing import Any

import numpy as np
import pandas as pd

from ml_assets.core.metrics.bootstrap import Interval, row_intervals
from ml_assets.core.metrics.classification import RowMetrics
from ml_assets.core.metrics.estimated_performance import (
    ESTIMATED,
    IsotonicCalibration,
    PerformanceEstimate,
    why_not_estimated,
)
from ml_assets.core.metrics.resampled import NAN
from ml_assets.core.model_spec.deployment import QualityEstimate
from ml_assets.core.model_spec.types.task import BINARY

ESTIMATE, REALISED = "estimated", "realised"
Row = dict[str, Any]


@dataclass(frozen=True)
class ScoredHoldout:
    """The labelled rows on which a model was evaluated, with its scores.

    labels: 0 or 1. metrics: the metrics of these rows by name. problem: why the rows are not known, or None.
    """

    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    scores: np.ndarray = field(default_factory=lambda: np.zeros(0))
    metrics: Mapping[str, float] = field(default_factory=dict)
    problem: str | None = None


def estimate_quality(
    day: date,
    predictions: pd.DataFrame,
    holdouts: Mapping[str, ScoredHoldout],
    settings: QualityEstimate,
    task: str,
    seed: int,
) -> list[Row]:
    """Estimate the metrics of the predictions of a day, by side.

    Args:
        day: the day of the predictions.
        predictions: score, decision, side and model_version of each row.
        holdouts: the holdout of the model of each side.
        settings: of the calibration and the intervals.
        task: what the model predicts, `binary` for two classes.
        seed: of the random numbers.

    Returns:
        Rows of prediction_quality; without a value, and with the reason, where nothing can be estimated.
    """
    rows: list[Row] = []
    for side, version, scored in _by_side(predictions):
        holdout = holdouts.get(side, ScoredHoldout(problem=f"the {side} of {day} is not known"))
        reason = holdout.problem or why_not_estimated(task, holdout.labels, settings.minimum_positives)
        values: Mapping[str, float] = {}
        intervals: Mapping[str, Interval] = {}
        positives = None
        if reason is None:
            calibration = IsotonicCalibration(holdout.labels, holdout.scores)
            estimate = PerformanceEstimate(calibration, scored["score"], threshold_of(scored))
            values, positives = estimate.values(), estimate.positives
            intervals = estimate.intervals(settings.samples, settings.confidence, seed)
        counts: Row = {"rows": len(scored), "positives": positives}
        rows += _rows(day, ESTIMATE, side, version, holdout, values, intervals, counts, reason)
    return rows


def measure_quality(
    day: date,
    predictions: pd.DataFrame,
    holdouts: Mapping[str, ScoredHoldout],
    settings: QualityEstimate,
    task: str,
    seed: int,
) -> list[Row]:
    """Measure the metrics of the predictions of a day whose labels are known, by side.

    Args:
        day: the day of the predictions.
        predictions: score, decision, side, model_version and label (NaN where there is none) of each row.
        holdouts, settings, task, seed: as in `estimate_quality`.
    """
    rows: list[Row] = []
    for side, version, scored in _by_side(predictions[predictions["label"].notna()]):
        reason = None if task == BINARY else f"{task}: these metrics are of two classes"
        values: Mapping[str, float] = {}
        intervals: Mapping[str, Interval] = {}
        positives = None
        if reason is None:
            labels = scored["label"].to_numpy(dtype=np.int64)
            metrics = RowMetrics(labels, scored["score"], threshold_of(scored))
            values, positives = metrics.point_values(), float(labels.sum())
            intervals = row_intervals(metrics, settings.samples, settings.confidence, seed)
        counts: Row = {"rows": len(scored), "positives": positives}
        holdout = holdouts.get(side, ScoredHoldout())
        rows += _rows(day, REALISED, side, version, holdout, values, intervals, counts, reason)
    return rows


def threshold_of(scored: pd.DataFrame) -> float:
    """Return the threshold that scores and decisions of one model imply: the lowest score that was decided positive."""
    positive = scored.loc[scored["decision"].astype(bool), "score"]
    return float(positive.min()) if len(positive) else inf


def join_estimated_and_realised(rows: Iterable[Mapping[str, object]]) -> list[Row]:
    """Join the rows of prediction_quality by the day of the predictions, side and metric, ascending.

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


def _rows(
    day: date,
    kind: str,
    side: str,
    version: int,
    holdout: ScoredHoldout,
    values: Mapping[str, float],
    intervals: Mapping[str, Interval],
    counts: Row,
    reason: str | None,
) -> list[Row]:
    about: Row = {"predicted_on": day, "kind": kind, "side": side, "model_version": version}
    return [
        {
            **about,
            "metric": name,
            "value": _defined(values.get(name, NAN)),
            "low": _defined(intervals.get(name, (NAN, NAN))[0]),
            "high": _defined(intervals.get(name, (NAN, NAN))[1]),
            "holdout_value": _defined(holdout.metrics.get(name, NAN)),
            **counts,
            "note": reason,
        }
        for name in ESTIMATED
    ]


def _defined(value: float) -> float | None:
    return None if isnan(value) else value
