"""Pictures of drift: the columns of a day that drifted most against their reference, as one PNG."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ml_assets.core.plots.evaluation import BLUE, GREY, plot_bytes
from ml_assets.core.profiling.drift import ColumnDrift, category_cells
from ml_assets.core.profiling.histograms import SECONDS_PER_BIN, Histogram, lower_edges
from ml_assets.core.profiling.profiles import NUMBER, TIME

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_COLUMNS, PER_ROW = 6, 2
MOST_CATEGORIES, MOST_BARS = 12, 60
SECONDS_PER_HOUR = 3600


def drift_plot(drifts: Sequence[ColumnDrift], title: str) -> bytes:
    """A panel for each of the first six columns, or of the first two where none drifted.

    It has the shares of the day (blue line) over those of the reference (grey), with PSI and KS distance.

    Numbers are drawn along their distribution in the reference and the day together, so that each bar is as wide as it
    holds rows; times by the hour.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = drifts[: MOST_COLUMNS if any(drift.exceeded for drift in drifts) else PER_ROW]
    rows = max(-(-len(shown) // PER_ROW), 1)
    height = 0.6 + 2.4 * rows
    figure = Figure(figsize=(9, height), dpi=100)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.06, right=0.98, bottom=0.45 / height, top=1 - 0.65 / height, hspace=0.45, wspace=0.14)
    figure.suptitle(title if shown else f"{title}: there is nothing to compare", fontsize=11)
    panels = figure.subplots(rows, PER_ROW, squeeze=False).ravel()
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    for axes, drift in zip(panels, shown, strict=False):
        _panel(axes, drift)
    return plot_bytes(figure)


def _panel(axes: "Axes", drift: ColumnDrift) -> None:
    figures = ", ".join(f"{one.name} {one.value:.3g}" for one in drift.measures)
    axes.set_title(f"{drift.name}: {figures}", fontsize=8, color="#c23b3b" if drift.exceeded else "black")
    names, found, expected = _cells(drift)
    places = np.arange(len(names))
    # One patch for all bars: a patch for each takes most of the time of drawing.
    edges = np.arange(len(names) + 1) - 0.5
    axes.stairs(expected, edges, fill=True, color=GREY, alpha=0.6, label=f"reference, {drift.reference.days} days")
    axes.stairs(found, edges, color=BLUE, linewidth=1.6, label="day")
    axes.set_ylim(bottom=0)
    step = max(len(names) // 8, 1)
    axes.set_xticks(
        places[::step], names[::step], fontsize=7, rotation=20 if max(map(len, names), default=0) > 6 else 0
    )
    axes.tick_params(axis="y", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=6, frameon=False, loc="upper right")


def _cells(drift: ColumnDrift) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of the bars, and their shares on the day and in the reference."""
    profile, reference = drift.profile, drift.reference
    if not profile.present or not reference.present:
        return ["missing"], np.array([profile.missing / profile.rows]), np.array([reference.missing])
    if reference.is_of_categories:
        names, found, expected = category_cells(profile, reference)
        # The last one, all others, always stays.
        kept = [*range(min(len(names) - 1, MOST_CATEGORIES)), len(names) - 1]
        return [names[place][:14] for place in kept], found[kept], expected[kept]
    found = profile.histogram.shares()
    bins = np.union1d(found.bins, reference.histogram.bins)
    if profile.kind == TIME:
        bins = np.arange(0, bins[-1] + 1)
    # Neighbouring bins are drawn as one where there are more than can be told apart.
    starts = bins[:: -(-len(bins) // MOST_BARS)]
    return _labels(profile.kind, starts), _summed(found, starts), _summed(reference.histogram, starts)


def _labels(kind: str, bins: np.ndarray) -> list[str]:
    if kind == TIME:
        return [f"{start * SECONDS_PER_BIN / SECONDS_PER_HOUR:.3g} h" for start in bins]
    return [f"{value:.3g}" for value in (lower_edges(bins) if kind == NUMBER else bins)]


def _summed(histogram: Histogram, starts: np.ndarray) -> np.ndarray:
    return np.bincount(
        np.searchsorted(starts, histogram.bins, side="right") - 1, histogram.weights, minlength=len(starts)
    )
