"""The drift plot: the columns of a day with the largest drift against their references."""

from collections.abc import Sequence

import numpy as np

from ml_assets.core.counts import count
from ml_assets.core.plots.chart import CHARACTER, Chart, Panel, blank_chart, ticks
from ml_assets.core.plots.colours import BLUE, GREY, RED
from ml_assets.core.profiling.drift import ColumnDrift, category_cells
from ml_assets.core.profiling.histograms import SECONDS_PER_BIN, Histogram, lower_edges
from ml_assets.core.profiling.profiles import NUMBER, TIME

MAX_COLUMNS, PER_ROW = 6, 2
MAX_CATEGORIES, MAX_BARS = 12, 60
MAX_TICKS = 8
SECONDS_PER_HOUR = 3600
WIDTH, HEIGHT, TOP, LEFT, BELOW = 760, 216, 62, 44, 72


def drift_plot(drifts: Sequence[ColumnDrift], title: str) -> bytes:
    """Plot a panel for each of the first six columns, or only the first two if none drifted, as SVG.

    A panel shows the day's distribution (blue line) over the reference distribution (grey), with the measures that are
    not 0. Numbers are drawn by the bins of their histograms, times by the hour.
    """
    plotted = drifts[: MAX_COLUMNS if any(drift.exceeded for drift in drifts) else PER_ROW]
    if not plotted:
        return blank_chart(title, "There is nothing to compare")
    chart = Chart(
        f"{title}: the day (blue) over its reference (grey)", TOP + -(-len(plotted) // PER_ROW) * HEIGHT, WIDTH
    )
    for number, drift in enumerate(plotted):
        row, column = divmod(number, PER_ROW)
        _panel(chart, TOP + row * HEIGHT, column * WIDTH / PER_ROW, drift)
    return chart.svg()


def _panel(chart: Chart, top: float, left: float, drift: ColumnDrift) -> None:
    names, observed, expected = _cells(drift)
    edges = np.arange(len(names) + 1) - 0.5
    highest = float(max(observed.max(), expected.max())) * 1.05 or 1.0
    begin, end = left + LEFT, left + WIDTH / PER_ROW - 12
    panel = chart.panel(top, top + HEIGHT - BELOW, (edges[0], edges[-1]), (0, highest), begin, end)
    panel.title(_title(drift), RED if drift.exceeded else "black")
    step = 1 if drift.reference.is_of_categories else -(-len(names) // MAX_TICKS)
    shown = [(float(position), name) for position, name in enumerate(names)][::step]
    has_no_room = len(shown) * max(len(name) + 1 for _, name in shown) * CHARACTER > end - begin
    panel.axes(shown, ticks(0, highest)[::2], has_x_grid=False, slanted=has_no_room)
    _draw(panel, edges, observed, expected)


def _title(drift: ColumnDrift) -> str:
    # Most measures are 0, and there is room for a few of them.
    measures = [f"{measure.name} {measure.value:.3g}" for measure in drift.measures if measure.value]
    return f"{drift.name}: {', '.join(measures) or 'no drift'} ({count(drift.reference.days, 'day')})"


def _draw(panel: Panel, edges: np.ndarray, observed: np.ndarray, expected: np.ndarray) -> None:
    is_filled = expected > 0
    panel.bars(edges[:-1][is_filled], edges[1:][is_filled], np.zeros(is_filled.sum()), expected[is_filled], GREY)
    panel.line(np.repeat(edges, 2), np.concatenate([[0], np.repeat(observed, 2), [0]]), BLUE, 1.6)


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
