"""Plots of the evaluation of a model, as PNG bytes small enough to embed in a page; equal input gives equal bytes.

Labels are integers 0 and 1, scores floats between 0 and 1, one per row in any order; other values raise the ValueError
of `sorted_rows`. An estimate is (value, low, high) of the metric in the title, as computed by `measure_holdout`; NaN
bounds are left out. If there is nothing to draw, the plot states the reason.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.classification import sorted_rows
from ml_assets.core.metrics.paired_proportions import proportion_interval
from ml_assets.core.plots.figure import BLUE, GREY, ORANGE, RED, blank_plot, label_axes, new_figure, plot_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Estimate = tuple[float, float, float]
BINS = 10


def roc_curve_plot(labels: ArrayLike, scores: ArrayLike, threshold: float, estimate: Estimate) -> bytes:
    """Plot the ROC curve and mark the threshold; `estimate` is of roc_auc."""
    figure, (axes,) = new_figure(_title("ROC AUC", estimate))
    true_positives, decided, at = _decisions(labels, scores, threshold)
    positives, rows = true_positives[-1], decided[-1]
    if not 0 < positives < rows:
        return blank_plot(figure, f"{positives:,} of {rows:,} rows are positive:\na ROC curve needs both classes")
    recall, false_positive_rate = true_positives / positives, (decided - true_positives) / (rows - positives)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="chance")
    axes.plot(false_positive_rate, recall, color=BLUE, linewidth=1.8)
    marked = f"threshold {threshold:.3g}: recall {recall[at]:.3f}, false positive rate {false_positive_rate[at]:.2g}"
    axes.plot(false_positive_rate[at], recall[at], "o", color=ORANGE, label=marked)
    label_axes(axes, "False positive rate (share of negatives decided positive)", "Recall (share of positives found)")
    return _rates(figure, axes, "lower right")


def precision_recall_plot(labels: ArrayLike, scores: ArrayLike, threshold: float, estimate: Estimate) -> bytes:
    """Plot the precision-recall curve and mark the threshold; `estimate` is of average_precision, the area under it."""
    figure, (axes,) = new_figure(_title("Average precision", estimate))
    true_positives, decided, at = _decisions(labels, scores, threshold)
    positives, rows = true_positives[-1], decided[-1]
    if not 0 < positives < rows:
        return blank_plot(
            figure, f"{positives:,} of {rows:,} rows are positive:\na precision-recall curve needs both classes"
        )
    recall, precision = true_positives / positives, true_positives / np.maximum(decided, 1)
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
    label_axes(axes, "Recall (share of positives found)", "Precision (share of decisions that are right)")
    return _rates(figure, axes, "lower left")


def calibration_plot(labels: ArrayLike, scores: ArrayLike, estimate: Estimate) -> bytes:
    """Plot share of positives against mean score in ten bins of equal width, above the number of rows in each bin.

    `estimate` is of brier_score. Error bars are the Wilson 95 % interval of the share (E. B. Wilson, 1927).
    """
    figure, (axes, counts) = new_figure(_title("Calibration: Brier score", estimate), (3, 1))
    ordered, values = sorted_rows(labels, scores)
    if not len(ordered):
        return blank_plot(figure, "There are no rows")
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
    axes.set_ylabel("Share of positives", fontsize=9)
    bars = counts.bar((np.arange(BINS) + 0.5) / BINS, rows, width=0.9 / BINS, color=BLUE, alpha=0.6)
    counts.bar_label(bars, labels=[f"{count:,}" if count else "" for count in rows], fontsize=7, padding=1)
    counts.set(yscale="log", ylim=(0.5, rows.max() * 8), yticks=[])
    counts.minorticks_off()
    label_axes(counts, "Score", "Rows")
    return _rates(figure, axes, "upper left")


def score_histogram_plot(labels: ArrayLike, scores: ArrayLike, threshold: float) -> bytes:
    """Plot histograms of the scores of negatives and positives on a logarithmic scale, and mark the threshold."""
    ordered, values = sorted_rows(labels, scores)
    figure, (axes,) = new_figure(f"Scores of {len(ordered):,} rows, {ordered.sum():,} of them positive")
    if not len(ordered):
        return blank_plot(figure, "There are no rows")
    edges = np.linspace(0, 1, 41).tolist()
    for name, label, colour in (("negatives", 0, BLUE), ("positives", 1, RED)):
        axes.hist(
            values[ordered == label],
            bins=edges,
            histtype="stepfilled",
            color=colour,
            alpha=0.45,
            edgecolor=colour,
            label=name,
        )
    axes.axvline(threshold, color=ORANGE, linewidth=1.5, label=f"threshold {threshold:.3g}")
    axes.set(yscale="log", xlim=(-0.02, 1.02))
    axes.set_ylim(bottom=0.5)
    label_axes(axes, "Score", "Rows")
    axes.legend(loc="upper right", fontsize=8)
    return plot_bytes(figure)


def importance_plot(importances: Mapping[str, float], top: int = 20) -> bytes:
    """Plot the `top` most important features as shares of the total importance; ties are ordered by name.

    Raises:
        ValueError: an importance is negative or not finite.
    """
    if invalid := [name for name, value in importances.items() if not (math.isfinite(value) and value >= 0)]:
        raise ValueError(f"importances must be finite and not negative; these are not: {', '.join(invalid)}")
    ranked = sorted(importances.items(), key=lambda item: (-item[1], item[0]))[:top]
    total_count = f" of {len(importances)}" if len(ranked) < len(importances) else ""
    figure, (axes,) = new_figure(f"Importance of {len(ranked)}{total_count} features")
    total = math.fsum(importances.values())
    if not total > 0:
        return blank_plot(figure, "No feature has any importance:\nthe model does not use its features")
    height = max(2.0, 1.0 + 0.2 * len(ranked))
    figure.set_size_inches(6, height)
    longest = max(len(name) for name, _ in ranked)
    figure.subplots_adjust(left=min(0.03 + 0.0099 * longest, 0.6), bottom=0.45 / height, top=1 - 0.35 / height)
    shares = [value / total for _, value in ranked]
    bars = axes.barh([name for name, _ in ranked], shares, color=BLUE, height=0.7)
    axes.bar_label(bars, labels=[f"{share:.1%}" for share in shares], fontsize=7, padding=2)
    axes.set(xlim=(0, shares[0] * 1.15), ylim=(len(ranked) - 0.4, -0.6))
    label_axes(axes, "Share of the importance of all features", "")
    axes.tick_params(axis="y", labelsize=7, length=0)
    axes.grid(axis="y", visible=False)
    return plot_bytes(figure)


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


def _rates(figure: "Figure", axes: "Axes", legend: str) -> bytes:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc=legend, fontsize=8)
    return plot_bytes(figure)
