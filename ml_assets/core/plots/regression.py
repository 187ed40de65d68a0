"""Plots of the evaluation of a regression, as SVG bytes small enough to embed in a page; equal input gives equal bytes.

Targets and predictions are finite numbers, one per row in any order. An estimate is (value, low, high) of the metric
in the title, as computed by `measure_holdout`; NaN bounds are left out. If there is nothing to draw, the plot states
the reason.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.paired_proportions import mean_interval, proportion_interval
from ml_assets.core.plots.chart import Chart, Panel, blank_chart, fractions, ticks
from ml_assets.core.plots.colours import BLUE, GREY, ORANGE, RED
from ml_assets.core.plots.evaluation import BOTTOM, TOP, UNIT, Estimate, estimate_title

Floats = NDArray[np.float64]
MOST_POINTS, DECILES = 800, 10
# The axes end at these quantiles of the values, so that a few extreme values do not hide the others.
ENDS = (0.002, 0.998)
NO_ROWS = "There are no rows"


def predicted_against_actual_plot(targets: ArrayLike, predictions: ArrayLike, estimate: Estimate) -> bytes:
    """Plot predictions by target for at most 800 rows, and the line of perfect predictions; `estimate` is of r2."""
    title = estimate_title("R2", estimate)
    truth, predicted = _sorted(targets, predictions)
    if not len(truth):
        return blank_chart(title, NO_ROWS)
    low, high = _ends(np.concatenate([truth, predicted]))
    chart, panel = _panel(title, (low, high), (low, high), "Target", "Prediction")
    panel.line([low, high], [low, high], GREY, 1, "5 3", "right predictions")
    shown = _evenly_spaced(len(truth))
    inside = _within(truth[shown], low, high) & _within(predicted[shown], low, high)
    panel.points(truth[shown][inside], predicted[shown][inside], BLUE, 3, f"{len(shown):,} of {len(truth):,} rows")
    panel.legend(0.03, 0.98)
    return chart.svg()


def residuals_plot(targets: ArrayLike, predictions: ArrayLike, estimate: Estimate) -> bytes:
    """Plot prediction - target by prediction for at most 800 rows, with the median and the middle 80 % of each decile
    of the predictions; `estimate` is of mean_bias.
    """
    title = estimate_title("Mean bias", estimate)
    truth, predicted = _sorted(targets, predictions)
    if not len(truth):
        return blank_chart(title, NO_ROWS)
    residuals = predicted - truth
    x, y = _ends(predicted), _ends(np.append(residuals, 0))
    chart, panel = _panel(title, x, y, "Prediction", "Prediction - target")
    panel.line([*x], [0, 0], GREY, 1, "5 3")
    shown = _evenly_spaced(len(truth))
    inside = _within(predicted[shown], *x) & _within(residuals[shown], *y)
    panel.points(predicted[shown][inside], residuals[shown][inside], BLUE, 3, f"{len(shown):,} of {len(truth):,} rows")
    parts = _deciles(predicted)
    middles = np.array([np.median(predicted[part]) for part in parts])
    quantiles = np.array([np.quantile(residuals[part], [0.1, 0.5, 0.9]) for part in parts])
    low, median, high = np.clip(quantiles, *y).T
    panel.intervals(middles, low, high, ORANGE)
    panel.line(middles, median, ORANGE, 1.5)
    panel.points(middles, median, ORANGE, legend="median and middle 80 % of each decile of the predictions")
    panel.legend(0.03, 0.98)
    return chart.svg()


def error_by_decile_plot(targets: ArrayLike, predictions: ArrayLike, estimate: Estimate) -> bytes:
    """Plot mean absolute error and mean error of each decile of the predictions; `estimate` is of mae.

    Error bars are 95 % intervals of the mean, with the normal approximation.
    """
    title = estimate_title("Mean absolute error", estimate)
    truth, predicted = _sorted(targets, predictions)
    if not len(truth):
        return blank_chart(title, NO_ROWS)
    residuals = predicted - truth
    parts = _deciles(predicted)
    absolute = np.array([np.abs(residuals[part]).mean() for part in parts])
    mean = np.array([residuals[part].mean() for part in parts])
    bounds = np.array([mean_interval(np.abs(residuals[part]), 0.95) for part in parts])
    low, high = (np.where(np.isnan(bounds[:, side]), absolute, bounds[:, side]) for side in (0, 1))
    ends = _padded(min(0.0, mean.min(), low.min()), max(high.max(), mean.max(), 1e-12))
    chart = Chart(title)
    panel = chart.panel(TOP, BOTTOM, (0.4, len(parts) + 0.6), ends)
    numbers = np.arange(1, len(parts) + 1)
    labels = [(float(number), f"{np.median(predicted[part]):.3g}") for number, part in zip(numbers, parts, strict=True)]
    panel.axes(labels, ticks(*ends), "Deciles of the predictions, by their median", "Error")
    panel.bars(numbers - 0.35, numbers + 0.35, np.zeros(len(parts)), absolute, BLUE, "mean absolute error")
    panel.intervals(numbers, low, high, BLUE)
    panel.line([0.4, len(parts) + 0.6], [0, 0], GREY, 1)
    panel.points(numbers, mean, RED, legend="mean of prediction - target")
    panel.legend(0.03, 0.98)
    return chart.svg()


def quantile_coverage_plot(targets: ArrayLike, quantiles: Mapping[float, ArrayLike], estimate: Estimate) -> bytes:
    """Plot the share of targets at or below each predicted quantile against its level; `estimate` is of pinball_loss.

    Error bars are the Wilson 95 % interval of the share.

    Args:
        targets: true values, shape (n,).
        quantiles: predictions of each quantile, by its level, each of shape (n,).
        estimate: estimate of the metric in the title.
    """
    title = estimate_title("Pinball loss", estimate)
    truth = np.asarray(targets, dtype=np.float64)
    if not len(truth):
        return blank_chart(title, NO_ROWS)
    levels = sorted(quantiles)
    reached = [int((truth <= np.asarray(quantiles[level], dtype=np.float64)).sum()) for level in levels]
    low, high = np.array([proportion_interval(count, len(truth), 0.95) for count in reached]).T
    chart = Chart(title)
    panel = chart.panel(TOP, BOTTOM, UNIT, UNIT)
    panel.axes(fractions(), fractions(), "Level of the quantile", "Share of targets at or below the prediction")
    panel.line([0, 1], [0, 1], GREY, 1, "5 3", "perfectly calibrated")
    shares = np.array(reached) / len(truth)
    panel.intervals(levels, low, high, BLUE)
    panel.line(levels, shares, BLUE, 1.5)
    panel.points(levels, shares, BLUE, legend=f"{len(truth):,} rows")
    panel.legend(0.03, 0.98)
    return chart.svg()


def _panel(
    title: str, x: tuple[float, float], y: tuple[float, float], x_label: str, y_label: str
) -> tuple[Chart, Panel]:
    chart = Chart(title)
    panel = chart.panel(TOP, BOTTOM, x, y)
    panel.axes(ticks(*x), ticks(*y), x_label, y_label)
    return chart, panel


def _sorted(targets: ArrayLike, predictions: ArrayLike) -> tuple[Floats, Floats]:
    """Sort rows by prediction and target, so that plots do not depend on their order."""
    truth, predicted = np.asarray(targets, dtype=np.float64), np.asarray(predictions, dtype=np.float64)
    order = np.lexsort((truth, predicted))
    return truth[order], predicted[order]


def _evenly_spaced(rows: int) -> NDArray[np.int64]:
    """Return the positions of at most 800 rows, evenly spaced."""
    return np.unique(np.linspace(0, rows - 1, min(rows, MOST_POINTS)).astype(np.int64))


def _deciles(predicted: Floats) -> list[slice]:
    """Divide sorted predictions into at most ten parts of about equal size."""
    borders = np.unique(np.linspace(0, len(predicted), DECILES + 1).astype(int)).tolist()
    return [slice(first, last) for first, last in pairwise(borders)]


def _ends(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, ENDS)
    return _padded(float(low), float(high))


def _padded(low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis with a margin around the values, even if all values are equal."""
    room = 0.05 * (high - low) or 0.05 * abs(low) or 1.0
    return low - room, high + room


def _within(values: Floats, low: float, high: float) -> NDArray[np.bool_]:
    return (values >= low) & (values <= high)
