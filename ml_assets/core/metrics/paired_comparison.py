"""Paired comparison of two models on the same rows: the difference of each metric, with paired bootstrap intervals."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.bootstrap import draw_counts, percentile_interval
from ml_assets.core.metrics.classification import RowMetrics
from ml_assets.core.metrics.resampled import NAN, ResampledMetrics, evaluate
from ml_assets.core.model_spec.types.metric_names import LOWER_IS_BETTER, compared_metrics
from ml_assets.core.model_spec.types.task import Outputs

COMPARED_METRICS = compared_metrics(Outputs())
COMPARISON_FIGURES = ("value", "champion_value", "difference", "low", "high")
Measure = Callable[[NDArray, NDArray, NDArray | None], ResampledMetrics]
"""Sorts the rows of one model for its metrics, from targets, predictions and weights."""


def compare_predictions(
    targets: ArrayLike,
    predictions: tuple[ArrayLike, ArrayLike],
    measures: tuple[Measure, Measure],
    compared: Sequence[str],
    samples: int,
    confidence: float,
    seed: int,
    weights: ArrayLike | None = None,
) -> pd.DataFrame:
    """Compare each metric of a model with that of the champion on the same rows.

    The result has the columns metric, value, champion_value, difference, low, high, rows. `difference` is value -
    champion_value, with the sign changed for metrics of which lower is better, so that a value above 0 is better. `low`
    and `high` are percentiles over `samples` draws of the same number of rows with replacement; each draw uses the same
    rows for both models (the paired bootstrap: Efron and Tibshirani, An Introduction to the Bootstrap, chapter 8), so
    rows that are difficult for both do not widen the interval. Draws in which the metric of either model is undefined
    are ignored. The result depends on the rows and the seed, not on the order of the rows; for equal predictions,
    difference and interval are 0.

    Args:
        targets: in the form that the measures take, shape (n,).
        predictions: of the model and of the champion, in the form that the measures take, each of n rows in the same
            order.
        measures: the measures of the model and of the champion.
        compared: names of the compared metrics, in the order of the result.
        samples: number of draws.
        confidence: share of the draws inside the interval.
        seed: seed of the draws.
        weights: sample weights above 0, shape (n,); None: every row counts once.

    Raises:
        ValueError: the lengths differ, or a measure refuses its rows.
    """
    truth = np.asarray(targets)
    model_values, champion_values = (np.asarray(values, dtype=np.float64) for values in predictions)
    if not len(truth) == len(model_values) == len(champion_values):
        raise ValueError(
            "labels and scores must have the same length, not"
            f" {len(truth)}, {len(model_values)} and {len(champion_values)}"
        )
    sample_weights = None if weights is None else np.asarray(weights, dtype=np.float64)
    # Rows that are equal in all these values are interchangeable, so after this sort a draw does not depend on the
    # given order.
    keys = [*_columns(champion_values), truth, *_columns(model_values)]
    order = np.lexsort(keys if sample_weights is None else [sample_weights, *keys])
    ordered_weights = None if sample_weights is None else sample_weights[order]
    model = measures[0](truth[order], model_values[order], ordered_weights)
    champion = measures[1](truth[order], champion_values[order], ordered_weights)
    once = np.ones((1, len(truth)))
    differences = [
        _improvement(_evaluate(model, counts), _evaluate(champion, counts), compared)
        for counts in draw_counts(len(truth), samples, seed)
    ]
    value, champion_value = _evaluate(model, once), _evaluate(champion, once)
    difference = _improvement(value, champion_value, compared)
    records = []
    for metric in compared:
        low, high = percentile_interval(np.concatenate([part[metric] for part in differences]), confidence)
        figures = (value[metric][0], champion_value[metric][0], difference[metric][0], low, high)
        records.append(
            {"metric": metric, **dict(zip(COMPARISON_FIGURES, map(float, figures), strict=True)), "rows": len(truth)}
        )
    return pd.DataFrame(records)


def measure_decisions(labels: NDArray, scores: NDArray, weights: NDArray | None, threshold: float) -> RowMetrics:
    """Sort the rows of a binary classifier for its metrics; see `RowMetrics`."""
    return RowMetrics(labels, scores, threshold, weights)


def empty_comparison(compared: Sequence[str] = COMPARED_METRICS) -> pd.DataFrame:
    """Return the result of `compare_predictions` without a comparison: a row for each metric, with NaN figures."""
    return pd.DataFrame(
        [{"metric": metric, **dict.fromkeys(COMPARISON_FIGURES, NAN), "rows": 0} for metric in compared]
    )


def _columns(values: NDArray) -> list[NDArray]:
    return [values] if values.ndim == 1 else [*values.T]


def _evaluate(metrics: ResampledMetrics, counts: NDArray) -> dict[str, NDArray]:
    """Compute the metrics of one model, for counts in the common order of the rows."""
    return evaluate(metrics, counts[:, metrics.order])


def _improvement(
    model: dict[str, NDArray], champion: dict[str, NDArray], compared: Sequence[str]
) -> dict[str, NDArray]:
    return {
        name: (champion[name] - model[name]) if name in LOWER_IS_BETTER else (model[name] - champion[name])
        for name in compared
    }
