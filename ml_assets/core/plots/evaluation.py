"""Plots of the evaluation of a model, as PNG bytes small enough to embed in a page; equal input gives equal bytes.

Labels are integers 0 and 1, scores floats between 0 and 1, one per row in any order; other values raise the ValueError
of `sorted_rows`. An estimate is (value, low, high) of the metric in the title, as computed by `measure_holdout`; NaN
bounds are left out. If there is nothing to draw, the plot states the reason.
"""

import math
from collections.abc import Mapping
from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.classification import sorted_rows
from ml_assets.core.metrics.paired_proportions import proportion_interval
from ml_assets.core.plots.figure import BLUE, GREY, ORANGE, RED, blank_plot, label_axes, new_figure
from ml_assets.core.plots.frame import Frame
from ml_assets.core.plots.lines import label_lines, lines_figure

Estimate = tuple[float, float, float]
BINS, HISTOGRAM_BINS = 10, 40
UNIT = (-0.02, 1.02)
# Upper ends of the axis of importances: few, so that models share frames.
SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.25)


def roc_curve_plot(labels: ArrayLike, scores: ArrayLike, threshold: float, estimate: Estimate) -> bytes:
    """Plot the ROC curve and mark the threshold; `estimate` is of roc_auc."""
    title = _title("ROC AUC", estimate)
    true_positives, decided, at = _decisions(labels, scores, threshold)
    positives, rows = true_positives[-1], decided[-1]
    if not 0 < positives < rows:
        return blank_plot(title, f"{positives:,} of {rows:,} rows are positive:\na ROC curve needs both classes")
    recall, false_positive_rate = true_positives / positives, (decided - true_positives) / (rows - positives)
    frame = _rates_frame(
        "False positive rate (share of negatives decided positive)", "Recall (share of positives found)"
    )
    (axes,) = frame.clear()
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="chance")
    axes.plot(false_positive_rate, recall, color=BLUE, linewidth=1.8)
    marked = f"threshold {threshold:.3g}: recall {recall[at]:.3f}, false positive rate {false_positive_rate[at]:.2g}"
    axes.plot(false_positive_rate[at], recall[at], "o", color=ORANGE, label=marked)
    return frame.render(title, "lower right")


def precision_recall_plot(labels: ArrayLike, scores: ArrayLike, threshold: float, estimate: Estimate) -> bytes:
    """Plot the precision-recall curve and mark the threshold; `estimate` is of average_precision, the area under it."""
    title = _title("Average precision", estimate)
    true_positives, decided, at = _decisions(labels, scores, threshold)
    positives, rows = true_positives[-1], decided[-1]
    if not 0 < positives < rows:
        return blank_plot(
            title, f"{positives:,} of {rows:,} rows are positive:\na precision-recall curve needs both classes"
        )
    recall, precision = true_positives / positives, true_positives / np.maximum(decided, 1)
    frame = _rates_frame("Recall (share of positives found)", "Precision (share of decisions that are right)")
    (axes,) = frame.clear()
    axes.axhline(
        positives / rows,
        color=GREY,
        linestyle="--",
        linewidth=1,
        label=f"chance: {positives / rows:.3g} of the rows are positive",
    )
    # Each precision applies from the previous recall on, so the area under the steps is the average precision.
    axes.plot(recall[1:], precision[1:], color=BLUE, linewidth=1.8, drawstyle="steps-pre")
    if decided[at]:
        marked = f"threshold {threshold:.3g}: precision {precision[at]:.3f}, recall {recall[at]:.3f}"
        axes.plot(recall[at], precision[at], "o", color=ORANGE, label=marked)
    return frame.render(title, "lower left")


def calibration_plot(labels: ArrayLike, scores: ArrayLike, estimate: Estimate) -> bytes:
    """Plot share of positives against mean score in ten bins of equal width, above the number of rows in each bin.

    `estimate` is of brier_score. Error bars are the Wilson 95 % interval of the share (E. B. Wilson, 1927).
    """
    title = _title("Calibration: Brier score", estimate)
    ordered, values = sorted_rows(labels, scores)
    if not len(ordered):
        return blank_plot(title, "There are no rows")
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
    frame = _calibration_frame()
    axes, counts = frame.clear()
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    axes.errorbar(
        mean_score,
        share,
        yerr=(share - low, high - share),
        color=BLUE,
        marker="o",
        markersize=4,
        linewidth=1.5,
        elinewidth=1,
        capsize=2,
    )
    # Heights are shares of the logarithm, so that the axis is the same for any number of rows.
    bar_heights = np.log10(np.maximum(rows, 1) * 2) / np.log10(rows.max() * 16)
    bars = counts.bar((np.arange(BINS) + 0.5) / BINS, bar_heights * filled, width=0.9 / BINS, color=BLUE, alpha=0.6)
    counts.bar_label(bars, labels=[f"{count:,}" if count else "" for count in rows], fontsize=7, padding=1)
    return frame.render(title, "upper left")


def score_histogram_plot(labels: ArrayLike, scores: ArrayLike, threshold: float) -> bytes:
    """Plot histograms of the scores of negatives and positives on a logarithmic scale, and mark the threshold."""
    ordered, values = sorted_rows(labels, scores)
    title = f"Scores of {len(ordered):,} rows, {ordered.sum():,} of them positive"
    if not len(ordered):
        return blank_plot(title, "There are no rows")
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    counts = [np.histogram(values[ordered == label], edges)[0] for label in (0, 1)]
    frame = _score_frame(len(str(max(map(max, counts)))))
    (axes,) = frame.clear()
    for name, rows, colour in zip(("negatives", "positives"), counts, (BLUE, RED), strict=True):
        # From just above zero, since zero has no place on a logarithmic axis.
        axes.stairs(rows, edges, baseline=0.1, fill=True, facecolor=colour, edgecolor=colour, alpha=0.45, label=name)
    axes.axvline(threshold, color=ORANGE, linewidth=1.5, label=f"threshold {threshold:.3g}")
    return frame.render(title, "upper right")


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
        return blank_plot(title, "No feature has any importance:\nthe model does not use its features")
    names, shares = [name for name, _ in ranked], [value / total for _, value in ranked]
    frame = _importance_frame(len(names), max(map(len, names)), next(x for x in SHARES if x >= shares[0] * 1.15))
    (axes,) = frame.clear()
    bars = axes.barh(range(len(names)), shares, color=BLUE, height=0.7)
    axes.bar_label(bars, labels=[f"{share:.1%}" for share in shares], fontsize=7, padding=2)
    label_lines(axes, names)
    return frame.render(title, title_location="right")


@cache
def _rates_frame(x_label: str, y_label: str) -> Frame:
    figure, (axes,) = new_figure()
    axes.set(xlim=UNIT, ylim=UNIT)
    label_axes(axes, x_label, y_label)
    return Frame(figure)


@cache
def _calibration_frame() -> Frame:
    figure, (axes, counts) = new_figure(heights=(3, 1))
    axes.set(xlim=UNIT, ylim=UNIT)
    axes.set_ylabel("Share of positives", fontsize=9)
    counts.set(ylim=(0, 1), yticks=[])
    label_axes(counts, "Score", "Rows (log)")
    return Frame(figure)


@lru_cache(4)
def _score_frame(digits: int) -> Frame:
    """Return a frame for counts of rows with at most that many digits."""
    figure, (axes,) = new_figure()
    axes.set(yscale="log", xlim=UNIT, ylim=(0.5, 10**digits))
    powers = [10**power for power in range(digits + 1)]
    # Matplotlib's own labels are formulas, which take longer than the rest of the plot.
    axes.set_yticks(powers, [f"{power:,}" for power in powers])
    axes.minorticks_off()
    label_axes(axes, "Score", "Rows")
    return Frame(figure)


@lru_cache(4)
def _importance_frame(features: int, longest: int, end: float) -> Frame:
    figure, axes = lines_figure(features, longest, 1.0 + 0.2 * features)
    axes.set(xlim=(0, end))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("Share of the importance of all features", fontsize=9, loc="right")
    return Frame(figure)


def _decisions(labels: ArrayLike, scores: ArrayLike, threshold: float) -> tuple[NDArray, NDArray, int]:
    """Return true positives and positive decisions for each threshold, and the index of the given threshold.

    The first entry is without any positive decision, then each distinct score is a threshold.
    """
    ordered, values = sorted_rows(labels, scores)
    last = np.flatnonzero(np.diff(values, append=-np.inf))
    return (
        np.append(0, np.cumsum(ordered)[last]),
        np.append(0, last + 1),
        int(np.count_nonzero(values[last] >= threshold)),
    )


def _title(metric: str, estimate: Estimate) -> str:
    value, low, high = estimate
    if math.isnan(value):
        return f"{metric} is undefined"
    return f"{metric} {value:.4g}" + (
        "" if math.isnan(low) or math.isnan(high) else f" (interval {low:.4g} to {high:.4g})"
    )
