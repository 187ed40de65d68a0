"""A plot of figures by day: lines with intervals, bars and bounds, narrow enough for a phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml_assets.core.plots.chart import Chart, Panel, ticks
from ml_assets.core.plots.colours import GREY, RED

WIDTH, HEIGHT = 380, 214
TOP, LEFT, LEGEND_LINE = 30, 52, 16
DATES_SHOWN = 4
ROOM = 0.08


@dataclass(frozen=True)
class DaySeries:
    """Figures of one kind, one for each day of the plot.

    values: NaN for a day without a figure. low, high: bounds of the interval of each value; None without intervals.
    colour: colour of the line. marked: whether each day's value is marked as a failure; None for none.
    """

    name: str
    values: NDArray[np.float64]
    colour: str
    style: Literal["line", "points", "bars"] = "line"
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    marked: NDArray[np.bool_] | None = None


def plot_day_series(
    title: str, days: Sequence[date], series: Sequence[DaySeries], bounds: Sequence[float] = (), from_zero: bool = False
) -> bytes | None:
    """Plot figures by day; None if fewer than two days have a figure.

    Args:
        title: title of the plot.
        days: consecutive days, ascending.
        series: the figures, with a legend if there is more than one kind; bars are stacked.
        bounds: values of horizontal lines that mark limits.
        from_zero: whether the axis starts at 0.
    """
    series = [figures for figures in series if np.isfinite(figures.values).any()]
    if not series or np.sum([np.isfinite(figures.values) for figures in series], axis=0).astype(bool).sum() < 2:
        return None
    bars = [figures for figures in series if figures.style == "bars"]
    low, high = _limits(series, bars, bounds, from_zero)
    entries = len(series) if len(series) > 1 else 0
    chart = Chart(title, HEIGHT + LEGEND_LINE * entries, WIDTH)
    bottom = HEIGHT - 24
    panel = chart.panel(TOP, bottom, (-0.5, len(days) - 0.5), (low, high), LEFT)
    panel.axes(_dates(days), ticks(low, high)[::2])
    for bound in bounds:
        panel.line([-0.5, len(days) - 0.5], [bound, bound], GREY, 1, "5 3")
    base = np.zeros(len(days))
    for figures in series:
        if figures.style == "bars":
            values, across = np.nan_to_num(figures.values), np.arange(len(days))
            panel.bars(across - 0.4, across + 0.4, base, base + values, figures.colour, figures.name if entries else "")
            base = base + values
        else:
            _draw(panel, figures, figures.name if entries else "")
    panel.legend(0, -14 / (bottom - TOP))
    return chart.svg()


def _draw(panel: Panel, series: DaySeries, legend: str) -> None:
    """Draw points, or a line with a gap at each day without a figure."""
    across, is_known = np.arange(len(series.values)), np.isfinite(series.values)
    if series.low is not None and series.high is not None:
        has_interval = is_known & np.isfinite(series.low) & np.isfinite(series.high)
        if has_interval.any():
            panel.intervals(across[has_interval], series.low[has_interval], series.high[has_interval], series.colour)
    if series.style == "line":
        for part in np.split(across, np.flatnonzero(~is_known)):
            known = part[is_known[part]]
            if len(known) > 1:
                panel.line(known, series.values[known], series.colour, 1.5)
    panel.points(across[is_known], series.values[is_known], series.colour, 4, legend)
    if series.marked is not None and (is_marked := series.marked & is_known).any():
        panel.points(across[is_marked], series.values[is_marked], RED, 7)


def _limits(
    series: Sequence[DaySeries], bars: Sequence[DaySeries], bounds: Sequence[float], from_zero: bool
) -> tuple[float, float]:
    stacked = [np.sum([np.nan_to_num(figures.values) for figures in bars], axis=0)] if bars else []
    ends = [end for figures in series for end in (figures.values, figures.low, figures.high) if end is not None]
    values = np.concatenate([*ends, *stacked, np.asarray(bounds, dtype=np.float64)])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    if bars or from_zero:
        low = min(low, 0.0)
    room = ROOM * (high - low) or 0.05 * abs(high) or 1.0
    return (low if low == 0 else low - room), high + room


def _dates(days: Sequence[date]) -> list[tuple[float, str]]:
    step = max(-(-len(days) // DATES_SHOWN), 1)
    return [(float(position), f"{days[position]:%m-%d}") for position in range(len(days) - 1, -1, -step)]
