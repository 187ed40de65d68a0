"""Plots of a canary: scores of champion and challenger in the traffic split, and their comparison by day."""

import math
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from ml_assets.core.counts import count
from ml_assets.core.plots.chart import Chart, blank_chart, fractions, ticks
from ml_assets.core.plots.colours import BLUE, GREY, ORANGE

BINS, HEIGHT = 40, 340
COLOURS = {"champion": BLUE, "challenger": ORANGE}


def traffic_split_plot(
    scores: Mapping[str, np.ndarray], title: str, bounds: tuple[float, float] | None = (0.0, 1.0), label: str = "Score"
) -> bytes:
    """Plot the share of the champion's and the challenger's rows by score, on a logarithmic scale.

    Args:
        scores: scores or predictions, by `champion` and `challenger`; a side without rows is left out.
        title: title of the plot.
        bounds: lowest and highest score; None: the range of the rows.
        label: label of the score axis.
    """
    low, high = bounds or _bounds([values for values in scores.values() if len(values)])
    edges = np.linspace(low, high, BINS + 1)
    shares = {role: np.histogram(values, edges)[0] / len(values) for role, values in scores.items() if len(values)}
    if not shares:
        return blank_chart(title, "There are no rows")
    lowest = math.floor(math.log10(min(share[share > 0].min() for share in shares.values())) - 0.2)
    chart = Chart(title, HEIGHT)
    margin = 0.02 * (high - low)
    panel = chart.panel(28, HEIGHT - 48, (low - margin, high + margin), (lowest, 0))
    powers = [(power, f"{10.0**power:g}") for power in range(lowest, 1)]
    panel.axes(fractions() if bounds else ticks(low, high), powers, label, "Share of its rows")
    for role, share in shares.items():
        # On the logarithmic axis, an empty bin is at the lower end.
        heights = np.log10(np.maximum(share, 10.0**lowest))
        panel.line(
            np.repeat(edges, 2)[1:-1],
            np.repeat(heights, 2),
            COLOURS[role],
            legend=f"{role}, {count(len(scores[role]), 'row')}",
        )
    panel.legend(0.62, 0.98)
    return chart.svg()


def _bounds(values: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the ends of an axis for values, even if all values are equal."""
    low, high = (min(map(np.min, values)), max(map(np.max, values))) if values else (0.0, 1.0)
    return (float(low), float(high)) if low < high else (float(low) - 1, float(high) + 1)


def comparison_plot(metric: str, days: Sequence[date], compared: pd.DataFrame, margin: float) -> bytes:
    """Plot the difference of a metric between challenger and champion by day, with intervals and the margin.

    Args:
        metric: name of the metric.
        days: days of decisions, ascending.
        compared: difference, low and high of each day on the same rows, as known on that day; NaN if undefined.
        margin: difference by which the challenger may be worse.
    """
    chart = Chart(f"{metric}: challenger minus champion, on the challenger's entities", HEIGHT)
    values = compared[["difference", "low", "high"]].to_numpy(dtype=np.float64)
    positions, defined = np.arange(len(days)), ~np.isnan(values).any(axis=1)
    low, high = min(-margin, values[defined].min(initial=0)), values[defined].max(initial=0)
    room = 0.05 * (high - low or 1.0)
    panel = chart.panel(28, HEIGHT - 48, (-0.5, len(days) - 0.5), (low - room, high + room))
    step = max(len(days) // 8, 1)
    days_shown = [(float(position), f"{days[position]:%m-%d}") for position in positions[::step]]
    panel.axes(days_shown, ticks(low - room, high + room))
    across, difference, lowest, highest = positions[defined], *values[defined].T
    panel.line([-0.5, len(days) - 0.5], [0, 0], GREY, 1)
    panel.line([-0.5, len(days) - 0.5], [-margin, -margin], GREY, 1, "5 3", f"margin {-margin:g}")
    if len(across):
        panel.intervals(across, lowest, highest, ORANGE)
        panel.line(across, difference, ORANGE, 1.5)
        panel.points(across, difference, ORANGE, legend="difference, with its interval")
    panel.legend(0.03, 0.98)
    return chart.svg()
