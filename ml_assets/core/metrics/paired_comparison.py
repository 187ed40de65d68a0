"""Paired comparison of two models on the same rows: the difference of each metric, with paired bootstrap intervals."""

from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ml_assets.core.metrics.bootstrap import draw_counts, percentile_interval
from ml_assets.core.metrics.classification import NAN, RowMetrics
from ml_assets.core.model_spec.evaluation import ComparedMetric

COMPARED_METRICS: tuple[str, ...] = get_args(ComparedMetric)
LOWER_IS_BETTER = ("log_loss", "brier_score", "calibration_error")
COMPARISON_FIGURES = ("value", "champion_value", "difference", "low", "high")


def compare_models(
    labels: ArrayLike,
    scores: tuple[ArrayLike, ArrayLike],
    thresholds: tuple[float, float],
    samples: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Compare each metric of a model with that of the champion on the same rows.

    The result has the columns metric, value, champion_value, difference, low, high, rows. `difference` is value -
    champion_value, with the sign changed for metrics of which lower is better, so that above 0 is better. `low` and
    `high` are percentiles over `samples` draws of as many rows with replacement; each draw uses the same rows for both
    models (the paired bootstrap: Efron and Tibshirani, An Introduction to the Bootstrap, chapter 8), so rows that are
    difficult for both do not widen the interval. Draws in which the metric of either model is undefined are ignored.
    The result depends on the rows and the seed, not on the order of the rows; for equal scores, difference and interval
    are 0.

    Args:
        labels: 0 or 1, shape (n,).
        scores: of the model and of the champion, between 0 and 1, each of shape (n,) in the same order.
        thresholds: lowest score of a positive decision, of the model and of the champion.
        samples: number of draws.
        confidence: share of the draws inside the interval.
        seed: seed of the draws.

    Raises:
        ValueError: the lengths differ, a label is neither 0 nor 1, or a score is not between 0 and 1.
    """
    classes = np.asarray(labels)
    model_scores, champion_scores = (np.asarray(values, dtype=np.float64) for values in scores)
    if not len(classes) == len(model_scores) == len(champion_scores):
        raise ValueError(
            "labels and scores must be of one length, not of"
            f" {len(classes)}, {len(model_scores)} and {len(champion_scores)}"
        )
    # Rows that are equal in all three are interchangeable, so in this order a draw does not depend on the given order.
    order = np.lexsort((champion_scores, classes, model_scores))
    classes = classes[order]
    model = _ModelMetrics(classes, model_scores[order], thresholds[0])
    champion = _ModelMetrics(classes, champion_scores[order], thresholds[1])
    once = np.ones((1, len(classes)))
    differences = [
        _improvement(model.evaluate(counts), champion.evaluate(counts))
        for counts in draw_counts(len(classes), samples, seed)
    ]
    value, champion_value = model.evaluate(once), champion.evaluate(once)
    difference = _improvement(value, champion_value)
    records = []
    for metric in COMPARED_METRICS:
        low, high = percentile_interval(np.concatenate([part[metric] for part in differences]), confidence)
        figures = (value[metric][0], champion_value[metric][0], difference[metric][0], low, high)
        records.append(
            {"metric": metric, **dict(zip(COMPARISON_FIGURES, map(float, figures), strict=True)), "rows": len(classes)}
        )
    return pd.DataFrame(records)


def empty_comparison() -> pd.DataFrame:
    """Return the columns of `compare_models` without a comparison: one row for each metric, with NaN figures."""
    return pd.DataFrame(
        [{"metric": metric, **dict.fromkeys(COMPARISON_FIGURES, NAN), "rows": 0} for metric in COMPARED_METRICS]
    )


class _ModelMetrics:
    """The metrics of one of the two models, for counts in the common order of the rows."""

    def __init__(self, labels: np.ndarray, scores: np.ndarray, threshold: float):
        self._metrics = RowMetrics(labels, scores, threshold)
        self._order = np.lexsort((labels, scores))[::-1]

    def evaluate(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        return self._metrics.evaluate(counts[:, self._order])


def _improvement(model: dict[str, np.ndarray], champion: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name: (champion[name] - model[name]) if name in LOWER_IS_BETTER else (model[name] - champion[name])
        for name in COMPARED_METRICS
    }
