"""Two models on the same rows: how much better one is than the other by each metric, with paired intervals."""

from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ml_assets.core.metrics.bootstrap import draws, percentile_interval
from ml_assets.core.metrics.classification import NAN, RowMetrics
from ml_assets.core.model_spec.evaluation import ComparedMetric

COMPARED: tuple[str, ...] = get_args(ComparedMetric)
LOWER_IS_BETTER = ("log_loss", "brier_score", "calibration_error")
MEASURED = ("value", "champion_value", "difference", "low", "high")


def compare(
    labels: ArrayLike,
    scores: tuple[ArrayLike, ArrayLike],
    thresholds: tuple[float, float],
    samples: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Each metric of a model and of the champion on the same rows, and how much better the model is.

    Columns metric, value, champion_value, difference, low, high, rows. `difference` is value - champion_value, the
    other way round for metrics of which lower is better, so that above 0 is better. `low` and `high` are percentiles
    over `samples` draws of as many rows with replacement; each draw counts the same rows for both models (the paired
    bootstrap: Efron and Tibshirani, An Introduction to the Bootstrap, chapter 8), so what makes a row hard for both
    does not widen the interval. Draws in which the metric of either is undefined do not count. The result depends on
    the rows and the seed, not on the order of the rows; equal scores have the difference 0 from 0 to 0.

    Args:
        labels: 0 or 1, shape (n,).
        scores: of the model and of the champion, between 0 and 1, each of shape (n,) in the same order.
        thresholds: the score from which each decides positive.
        samples: number of draws.
        confidence: share of the draws inside the interval.
        seed: of the draws.

    Raises:
        ValueError: when the lengths differ, a label is neither 0 nor 1, or a score is not between 0 and 1.
    """
    classes, (ours, theirs) = np.asarray(labels), (np.asarray(of, dtype=np.float64) for of in scores)
    if not len(classes) == len(ours) == len(theirs):
        raise ValueError(
            f"labels and scores must be of one length, not of {len(classes)}, {len(ours)} and {len(theirs)}"
        )
    # Rows that are equal in all three are the same to both models, so this order makes a draw mean the same however the
    # rows came.
    order = np.lexsort((theirs, classes, ours))
    classes = classes[order]
    model, champion = (
        _Side(classes, of[order], threshold) for of, threshold in zip((ours, theirs), thresholds, strict=True)
    )
    once = np.ones((1, len(classes)), dtype=np.int64)
    differences = [_better(model.of(counts), champion.of(counts)) for counts in draws(len(classes), samples, seed)]
    value, champion_value = model.of(once), champion.of(once)
    difference = _better(value, champion_value)
    found = []
    for metric in COMPARED:
        low, high = percentile_interval(np.concatenate([part[metric] for part in differences]), confidence)
        figures = (value[metric][0], champion_value[metric][0], difference[metric][0], low, high)
        found.append({"metric": metric, **dict(zip(MEASURED, map(float, figures), strict=True)), "rows": len(classes)})
    return pd.DataFrame(found)


def not_compared() -> pd.DataFrame:
    """The columns of `compare` where nothing was compared: one row for each metric, its figures NaN."""
    return pd.DataFrame([{"metric": metric, **dict.fromkeys(MEASURED, NAN), "rows": 0} for metric in COMPARED])


class _Side:
    """The metrics of one of the two models, for counts in the common order of the rows."""

    def __init__(self, labels: np.ndarray, scores: np.ndarray, threshold: float):
        self._metrics = RowMetrics(labels, scores, threshold)
        self._order = np.lexsort((labels, scores))[::-1]

    def of(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        return self._metrics.of(counts[:, self._order])


def _better(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name: (theirs[name] - ours[name]) if name in LOWER_IS_BETTER else (ours[name] - theirs[name])
        for name in COMPARED
    }
