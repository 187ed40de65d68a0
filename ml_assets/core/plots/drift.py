"""The drift plot: the columns of a day with the largest drift against their references."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ml_assets.core.plots.chart import BLUE, GREY, RED
from ml_assets.core.plots.figure import empty_figure, plot_bytes
from ml_assets.core.profiling.drift import ColumnDrift, category_cells
from ml_assets.core.profiling.histograms import SECONDS_PER_BIN, Histogram, lower_edges
from ml_assets.core.profiling.profiles import NUMBER, TIME

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_COLUMNS, PER_ROW = 6, 2
MAX_CATEGORIES, MAX_BARS = 12, 60
SECONDS_PER_HOUR = 3600


def drift_plot(drifts: Sequence[ColumnDrift], title: str) -> bytes:
    """Plot a panel for each of the first six columns, or only the first two if none drifted.

    A panel shows the day's distribution (blue line) over the reference distribution (grey), with PSI and KS distance.
    Numbers are drawn by the bins of their histograms, times by the hour.
    """
    plotted = drifts[: MAX_COLUMNS if any(drift.exceeded for drift in drifts) else PER_ROW]
    rows = max(-(-len(plotted) // PER_ROW), 1)
    height = 0.6 + 2.4 * rows
    figure = empty_figure(9, height)
    figure.subplots_adjust(left=0.06, right=0.98, bottom=0.45 / height, top=1 - 0.65 / height, hspace=0.45, wspace=0.14)
    figure.suptitle(title if plotted else f"{title}: there is nothing to compare", fontsize=11)
    panels = figure.subplots(rows, PER_ROW, squeeze=False).ravel()
    for axes in panels[len(plotted) :]:
        axes.set_axis_off()
    for axes, drift in zip(panels, plotted, strict=False):
        _panel(axes, drift)
    return plot_bytes(figure)


def _panel(axes: "Axes", drift: ColumnDrift) -> None:
    measures = ", ".join(f"{measure.name} {measure.value:.3g}" for measure in drift.measures)
    axes.set_title(f"{drift.name}: {measures}", fontsize=8, color=RED if drift.exceeded else "black")
    names, observed, expected = _cells(drift)
    positions = np.arange(len(names))
    # A single patch for all bars, because one patch per bar would take most of the drawing time.
    edges = np.arange(len(names) + 1) - 0.5
    axes.stairs(expected, edges, fill=True, color=GREY, alpha=0.6, label=f"reference, {drift.reference.days} days")
    axes.stairs(observed, edges, color=BLUE, linewidth=1.6, label="day")
    axes.set_ylim(bottom=0)
    step = max(len(names) // 8, 1)
    axes.set_xticks(
        positions[::step], names[::step], fontsize=7, rotation=20 if max(map(len, names), default=0) > 6 else 0
    )
    axes.tick_params(axis="y", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=6, frameon=False, loc="upper right")


def _cells(drift: ColumnDrift) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the names of the bars, and their shares on the day and in the reference."""
    profile, reference = drift.profile, drift.reference
    if not profile.present or not reference.present:
        return ["missing"], np.array([profile.missing / profile.rows]), np.array([reference.missing])
    if reference.is_of_categories:
        names, observed, expected = category_cells(profile, reference)
        # The last bar, which stands for all other categories, is always kept.
        kept = [*range(min(len(names) - 1, MAX_CATEGORIES)), len(names) - 1]
        return [names[index][:14] for index in kept], observed[kept], expected[kept]
    shares = profile.histogram.shares()
    bins = np.union1d(shares.bins, reference.histogram.bins)
    if profile.kind == TIME:
        bins = np.arange(0, bins[-1] + 1)
    # Neighbouring bins are merged if there are too many to distinguish.
    starts = bins[:: -(-len(bins) // MAX_BARS)]
    return _labels(profile.kind, starts), _merge_bins(shares, starts), _merge_bins(reference.histogram, starts)


def _labels(kind: str, bins: np.ndarray) -> list[str]:
    if kind == TIME:
        return [f"{start * SECONDS_PER_BIN / SECONDS_PER_HOUR:.3g} h" for start in bins]
    return [f"{value:.3g}" for value in (lower_edges(bins) if kind == NUMBER else bins)]


def _merge_bins(histogram: Histogram, starts: np.ndarray) -> np.ndarray:
    return np.bincount(
        np.searchsorted(starts, histogram.bins, side="right") - 1, histogram.weights, minlength=len(starts)
    )
