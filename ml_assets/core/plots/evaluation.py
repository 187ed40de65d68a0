"""Pictures of how a model was judged, as PNG bytes: the same bytes for the same input, and small enough to be shown
inside a page.

Labels are integers 0 and 1, scores floats between 0 and 1, one per row in any order; other values are a ValueError, as
in `metrics.sorted_rows`. An estimate is (value, low, high) of the metric in the title, as `evaluation.measure` gives
it; NaN bounds are left out. Where there is nothing to draw, the picture says why.
"""

import math
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.classification import sorted_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Estimate = tuple[float, float, float]
BLUE, RED, ORANGE, GREY, DARK_GREY = "#2f6db3", "#c23b3b", "#e08a00", "#8a8a8a", "#555555"
BINS = 10
# Standard deviations on either side of the mean that hold 95 % of a normal distribution.
Z95 = 1.959964


def roc_curve_plot(labels: ArrayLike, scores: ArrayLike, threshold: float, estimate: Estimate) -> bytes:
    """The ROC curve with the threshold marked; `estimate` is of roc_auc."""
    figure, (axes,) = canvas(_title("ROC AUC", estimate))
    found, decided, at = _decisions(labels, scores, threshold)
    positives, rows = found[-1], decided[-1]
    if not 0 < positives < rows:
        return blank_plot(figure, f"{positives:,} of {rows:,} rows are positive:\na ROC curve needs both classes")
    recall, false_alarms = found / positives, (decided - found) / (rows - positives)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="chance")
    axes.plot(false_alarms, recall, color=BLUE, linewidth=1.8)
    marked = f"threshold {threshold:.3g}: recall {recall[at]:.3f}, false positive rate {false_alarms[at]:.2g}"
    axes.plot(false_alarms[at], recall[at], "o", color=ORANGE, label=marked)
    name_axes(axes, "False positive rate (share of negatives decided positive)", "Recall (share of positives found)")
    return _rates(figure, axes, "lower right")


def precision_recall_plot(labels: ArrayLike, scores: ArrayLike, threshold: float, estimate: Estimate) -> bytes:
    """The precision-recall curve, whose area is the average precision, with the threshold marked; `estimate` is of
    average_precision.
    """
    figure, (axes,) = canvas(_title("Average precision", estimate))
    found, decided, at = _decisions(labels, scores, threshold)
    positives, rows = found[-1], decided[-1]
    if not 0 < positives < rows:
        return blank_plot(
            figure, f"{positives:,} of {rows:,} rows are positive:\na precision-recall curve needs both classes"
        )
    recall, precision = found / positives, found / np.maximum(decided, 1)
    axes.axhline(
        positives / rows,
        color=GREY,
        linestyle="--",
        linewidth=1,
        label=f"chance: {positives / rows:.3g} of the rows are positive",
    )
    # Precision holds from the recall before, which makes the area under the steps the average precision.
    axes.plot(recall[1:], precision[1:], color=BLUE, linewidth=1.8, drawstyle="steps-pre")
    if decided[at]:
        marked = f"threshold {threshold:.3g}: precision {precision[at]:.3f}, recall {recall[at]:.3f}"
        axes.plot(recall[at], precision[at], "o", color=ORANGE, label=marked)
    name_axes(axes, "Recall (share of positives found)", "Precision (share of decisions that are right)")
    return _rates(figure, axes, "lower left")


def calibration_plot(labels: ArrayLike, scores: ArrayLike, estimate: Estimate) -> bytes:
    """Share of positives against mean score in ten bins of equal width, above the number of rows in each bin;
    `estimate` is of brier_score.

    Bars span the Wilson 95 % interval of the share (E. B. Wilson, 1927): a bin of few rows says little.
    """
    figure, (axes, counts) = canvas(_title("Calibration: Brier score", estimate), (3, 1))
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
    low, high = _wilson(share, rows[filled])
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
    name_axes(counts, "Score", "Rows")
    return _rates(figure, axes, "upper left")


def score_histogram_plot(labels: ArrayLike, scores: ArrayLike, threshold: float) -> bytes:
    """How many negatives and positives have which score, on a logarithmic scale, with the threshold marked."""
    ordered, values = sorted_rows(labels, scores)
    figure, (axes,) = canvas(f"Scores of {len(ordered):,} rows, {ordered.sum():,} of them positive")
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
    name_axes(axes, "Score", "Rows")
    axes.legend(loc="upper right", fontsize=8)
    return plot_bytes(figure)


def importance_plot(importances: Mapping[str, float], top: int = 20) -> bytes:
    """The `top` most important features as shares of the importance of all; equally important ones in order of their
    names.

    Raises:
        ValueError: when an importance is negative or not finite.
    """
    if wrong := [name for name, value in importances.items() if not (math.isfinite(value) and value >= 0)]:
        raise ValueError(f"importances must be finite and not negative; these are not: {', '.join(wrong)}")
    ranked = sorted(importances.items(), key=lambda item: (-item[1], item[0]))[:top]
    of_how_many = f" of {len(importances)}" if len(ranked) < len(importances) else ""
    figure, (axes,) = canvas(f"Importance of {len(ranked)}{of_how_many} features")
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
    name_axes(axes, "Share of the importance of all features", "")
    axes.tick_params(axis="y", labelsize=7, length=0)
    axes.grid(axis="y", visible=False)
    return plot_bytes(figure)


def _decisions(labels: ArrayLike, scores: ArrayLike, threshold: float) -> tuple[NDArray, NDArray, int]:
    """Positives found, and rows decided positive, by no decision and then with each distinct score as threshold; the
    place of the given threshold.
    """
    ordered, values = sorted_rows(labels, scores)
    last = np.flatnonzero(np.diff(values, append=-np.inf))
    return (
        np.append(0, np.cumsum(ordered)[last]),
        np.append(0, last + 1),
        int(np.count_nonzero(values[last] >= threshold)),
    )


def _wilson(share: NDArray, rows: NDArray) -> tuple[NDArray, NDArray]:
    centre = share + Z95**2 / (2 * rows)
    reach = Z95 * np.sqrt(share * (1 - share) / rows + (Z95 / (2 * rows)) ** 2)
    # Rounding puts the bound of a share of 0 or 1 a hair on the wrong side of it.
    return np.minimum((centre - reach) / (1 + Z95**2 / rows), share), np.maximum(
        (centre + reach) / (1 + Z95**2 / rows), share
    )


def _title(metric: str, estimate: Estimate) -> str:
    value, low, high = estimate
    if math.isnan(value):
        return f"{metric} is undefined"
    return f"{metric} {value:.4g}" + (
        "" if math.isnan(low) or math.isnan(high) else f" (interval {low:.4g} to {high:.4g})"
    )


def canvas(title: str, heights: tuple[int, ...] = (1,)) -> "tuple[Figure, list[Axes]]":
    """A figure of 600 x 400 dots with panels of these relative heights, one above the other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=100)
    FigureCanvasAgg(figure)
    # Matplotlib's own layouts draw everything twice to find out what these margins say.
    figure.subplots_adjust(left=0.11, right=0.97, bottom=0.12, top=0.93, hspace=0.08)
    panels = list(figure.subplots(len(heights), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0])
    panels[0].set_title(title, fontsize=11)
    for axes in panels:
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    return figure, panels


def name_axes(axes: "Axes", across: str, up: str) -> None:
    """Say below the axes and beside them what they show."""
    axes.set_xlabel(across, fontsize=9)
    axes.set_ylabel(up, fontsize=9)


def _rates(figure: "Figure", axes: "Axes", legend: str) -> bytes:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc=legend, fontsize=8)
    return plot_bytes(figure)


def blank_plot(figure: "Figure", text: str) -> bytes:
    """The PNG of a figure that has nothing to draw, and says why."""
    for axes in figure.axes:
        axes.set_axis_off()
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=11, color=DARK_GREY)
    return plot_bytes(figure)


def plot_bytes(figure: "Figure") -> bytes:
    """The PNG of a figure: the same bytes for the same figure."""
    buffer = BytesIO()
    # Without Software, the bytes do not depend on the version of matplotlib's name tag; savefig writes no time of its
    # own.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
