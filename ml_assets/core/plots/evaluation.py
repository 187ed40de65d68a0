"""Plots of the evaluation of a model, as SVG bytes small enough to embed in a page; equal input gives equal bytes.

Labels are integers 0 and 1, scores are floats between 0 and 1, one per row in any order; other values raise the
ValueError of `sorted_rows`. An estimate is (value, low, high) of the metric in the title, as computed by
`measure_holdout`; NaN bounds are left out. If there is nothing to draw, the plot states the reason.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.classification import sorted_rows
from ml_assets.core.metrics.paired_proportions import proportion_interval
from ml_assets.core.plots.chart import Chart, Panel, blank_chart, fractions
from ml_assets.core.plots.colours import BLUE, GREY, ORANGE, RED
from ml_assets.core.plots.feature_lines import feature_lines

Estimate = tuple[float, float, float]
BINS, HISTOGRAM_BINS = 10, 40
UNIT = (-0.02, 1.02)
TOP, BOTTOM = 28, 352


def roc_curve_plot(labels: ArrayLike, scores: ArrayLike, threshold: float, estimate: Estimate) -> bytes:
    """Plot the ROC curve and mark the threshold; `estimate` is of roc_auc."""
    title = estimate_title("ROC AUC", estimate)
    true_positives, decided, at = _decisions(labels, scores, threshold)
    positives, rows = true_positives[-1], decided[-1]
    if not 0 < positives < rows:
        return blank_chart(title, f"{positives:,} of {rows:,} rows are positive:\na ROC curve needs both classes")
    recall, false_positive_rate = true_positives / positives, (decided - true_positives) / (rows - positives)
    chart, panel = _rates(
        "False positive rate (share of negatives decided positive)", "Recall (share of positives found)", title
    )
    panel.line([0, 1], [0, 1], GREY, 1, "5 3", "chance")
    panel.line(false_positive_rate, recall, BLUE)
    marked = f"threshold {threshold:.3g}: recall {recall[at]:.3f}, false positive rate {false_positive_rate[at]:.2g}"
    panel.points(false_positive_rate[[at]], recall[[at]], ORANGE, legend=marked)
    panel.legend(0.34, 0.14)
    return chart.svg()


def precision_recall_plot(labels: ArrayLike, scores: ArrayLike, threshold: float, estimate: Estimate) -> bytes:
    """Plot the precision-recall curve and mark the threshold; `estimate` is of average_precision, the area under it."""
    title = estimate_title("Average precision", estimate)
    true_positives, decided, at = _decisions(labels, scores, threshold)
    positives, rows = true_positives[-1], decided[-1]
    if not 0 < positives < rows:
        return blank_chart(
            title, f"{positives:,} of {rows:,} rows are positive:\na precision-recall curve needs both classes"
        )
    recall, precision = true_positives / positives, true_positives / np.maximum(decided, 1)
    chart, panel = _rates("Recall (share of positives found)", "Precision (share of decisions that are right)", title)
    share = positives / rows
    panel.line([0, 1], [share, share], GREY, 1, "5 3", f"chance: {share:.3g} of the rows are positive")
    # Each precision is drawn from the previous recall on, so the area under the steps is the average precision.
    panel.steps(recall[1:], precision[1:], BLUE)
    if decided[at]:
        marked = f"threshold {threshold:.3g}: precision {precision[at]:.3f}, recall {recall[at]:.3f}"
        panel.points(recall[[at]], precision[[at]], ORANGE, legend=marked)
    panel.legend(0.03, 0.14)
    return chart.svg()


def calibration_plot(labels: ArrayLike, scores: ArrayLike, estimate: Estimate) -> bytes:
    """Plot share of positives against mean score in ten bins of equal width, above the number of rows in each bin.

    `estimate` is of brier_score. Error bars are the Wilson 95 % interval of the share (E. B. Wilson, 1927).
    """
    title = estimate_title("Calibration: Brier score", estimate)
    ordered, values = sorted_rows(labels, scores)
    if not len(ordered):
        return blank_chart(title, "There are no rows")
    bins = np.minimum((values * BINS).astype(int), BINS - 1)
    rows, positives = np.bincount(bins, minlength=BINS), np.bincount(bins, weights=ordered, minlength=BINS)
    filled = rows > 0
    share, mean_score = (
        positives[filled] / rows[filled],
        np.bincount(bins, weights=values, minlength=BINS)[filled] / rows[filled],
    )
    intervals = [
        proportion_interval(true, count, 0.95) for true, count in zip(positives[filled], rows[filled], strict=True)
    ]
    low, high = np.array(intervals).T
    chart = Chart(title)
    panel, counts = chart.panel(TOP, 262, UNIT, UNIT), chart.panel(270, BOTTOM, UNIT, (0, 1))
    panel.axes([], fractions(), y_label="Share of positives")
    counts.axes(fractions(), [], "Score", "Rows (log)")
    panel.line([0, 1], [0, 1], GREY, 1, "5 3", "perfectly calibrated")
    panel.intervals(mean_score, low, high, BLUE)
    panel.line(mean_score, share, BLUE, 1.5)
    panel.points(mean_score, share, BLUE)
    # Heights are shares of the logarithm, so that the axis is independent of the number of rows.
    heights = np.log10(np.maximum(rows, 1) * 2) / np.log10(rows.max() * 16) * filled
    middles = (np.arange(BINS) + 0.5) / BINS
    counts.bars(middles - 0.045, middles + 0.045, np.zeros(BINS), heights, BLUE)
    for middle, height, count in zip(middles[filled], heights[filled], rows[filled], strict=True):
        counts.text(middle, height, f"{count:,}", dy=-3)
    panel.legend(0.03, 0.98)
    return chart.svg()


def score_histogram_plot(labels: ArrayLike, scores: ArrayLike, threshold: float) -> bytes:
    """Plot histograms of the scores of negatives and positives on a logarithmic scale, and mark the threshold."""
    ordered, values = sorted_rows(labels, scores)
    title = f"Scores of {len(ordered):,} rows, {ordered.sum():,} of them positive"
    if not len(ordered):
        return blank_chart(title, "There are no rows")
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    counts = [np.histogram(values[ordered == label], edges)[0] for label in (0, 1)]
    powers = range(len(str(max(map(max, counts)))) + 1)
    chart = Chart(title)
    # The axis is logarithmic and cannot show zero, so bars begin below its end.
    panel = chart.panel(TOP, BOTTOM, UNIT, (math.log10(0.5), powers[-1]))
    panel.axes(fractions(), [(power, f"{10**power:,}") for power in powers], "Score", "Rows")
    for name, rows, colour in zip(("negatives", "positives"), counts, (BLUE, RED), strict=True):
        tops, filled = np.log10(np.maximum(rows, 1)), rows > 0
        bottoms = np.full(filled.sum(), math.log10(0.5))
        panel.bars(edges[:-1][filled], edges[1:][filled], bottoms, tops[filled], colour, name)
    panel.line([threshold, threshold], [math.log10(0.5), powers[-1]], ORANGE, 1.5, legend=f"threshold {threshold:.3g}")
    panel.legend(0.72, 0.98)
    return chart.svg()


def importance_plot(importances: Mapping[str, float], top: int = 20) -> bytes:
    """Plot the `top` most important features as shares of the total importance; ties are ordered by name.

    Raises:
        ValueError: an importance is negative or not finite.
    """
    if invalid := [name for name, value in importances.items() if not (math.isfinite(value) and value >= 0)]:
        raise ValueError(f"importances must be finite and not negative; these are not: {', '.join(invalid)}")
    ranked = sorted(importances.items(), key=lambda item: (-item[1], item[0]))[:top]
    total_count = f" of {len(importances)}" if len(ranked) < len(importances) else ""
    title = f"Importance of {len(ranked)}{total_count} features"
    total = math.fsum(importances.values())
    if not total > 0:
        return blank_chart(title, "No feature has any importance:\nthe model does not use its features")
    names, shares = [name for name, _ in ranked], [value / total for _, value in ranked]
    end = min(1.0, shares[0] * 1.15)
    chart, panel = feature_lines(title, names, (0, end), "Share of the importance of all features")
    lines = np.arange(len(names))
    panel.bars(np.zeros(len(names)), shares, lines - 0.35, lines + 0.35, BLUE)
    for line, share in enumerate(shares):
        is_wide = share > 0.9 * end
        panel.text(share, line, f"{share:.1%}", "end" if is_wide else "start", -4 if is_wide else 4, 3.5)
    return chart.svg()


def _rates(x_label: str, y_label: str, title: str) -> tuple[Chart, Panel]:
    """Return a chart with one panel, for two shares."""
    chart = Chart(title)
    panel = chart.panel(TOP, BOTTOM, UNIT, UNIT)
    panel.axes(fractions(), fractions(), x_label, y_label)
    return chart, panel


def _decisions(labels: ArrayLike, scores: ArrayLike, threshold: float) -> tuple[NDArray, NDArray, int]:
    """Return true positives and positive decisions for each threshold, and the index of the given threshold.

    The first entry has no positive decisions; after it, each distinct score is a threshold.
    """
    ordered, values = sorted_rows(labels, scores)
    last = np.flatnonzero(np.diff(values, append=-np.inf))
    return (
        np.append(0, np.cumsum(ordered)[last]),
        np.append(0, last + 1),
        int(np.count_nonzero(values[last] >= threshold)),
    )


def estimate_title(metric: str, estimate: Estimate) -> str:
    """Return the title of a plot: the name of a metric, its value and its interval."""
    value, low, high = estimate
    if math.isnan(value):
        return f"{metric} is undefined"
    return f"{metric} {value:.4g}" + (
        "" if math.isnan(low) or math.isnan(high) else f" (interval {low:.4g} to {high:.4g})"
    )
