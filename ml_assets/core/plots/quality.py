"""The plot of prediction quality by day: estimated on the day, and realised once the labels are known."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from ml_assets.core.plots.chart import Chart, blank_chart, ticks
from ml_assets.core.plots.colours import BLUE, GREY, ORANGE

HEIGHT = 340


def quality_plot(metric: str, rows: Sequence[Mapping[str, object]]) -> bytes:
    """Plot the estimated metric of each day with its interval, the realised metric, and the metric on the model's
    holdout.

    Args:
        metric: name of the metric.
        rows: rows of `join_estimated_and_realised` for one side and this metric, one per day, ascending.
    """
    title = f"{metric} of predictions by their day"
    names = ("estimated", "low", "high", "realised", "holdout_value")
    estimated, low, high, realised, holdout = (
        np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=np.float64) for name in names
    )
    known = np.concatenate([estimated, low, high, realised, holdout])
    known = known[~np.isnan(known)]
    if not len(known):
        return blank_chart(title, "No day has an estimated or realised value")
    bottom, top = float(known.min()), float(known.max())
    room = 0.05 * (top - bottom or 1.0)
    chart = Chart(title, HEIGHT)
    panel = chart.panel(28, HEIGHT - 48, (-0.5, len(rows) - 0.5), (bottom - room, top + room))
    step = max(len(rows) // 8, 1)
    days = [(float(position), _short(rows[position]["predicted_on"])) for position in range(0, len(rows), step)]
    panel.axes(days, ticks(bottom - room, top + room))
    positions = np.arange(len(rows))
    for values, colour, dash, legend in (
        (holdout, GREY, "5 3", "on the holdout"),
        (estimated, ORANGE, "", "estimated"),
    ):
        defined = ~np.isnan(values)
        if defined.any():
            panel.line(positions[defined], values[defined], colour, 1.5, dash, legend)
    with_interval = ~np.isnan(low) & ~np.isnan(high)
    if with_interval.any():
        panel.intervals(positions[with_interval], low[with_interval], high[with_interval], ORANGE)
    labelled = ~np.isnan(realised)
    if labelled.any():
        panel.points(positions[labelled], realised[labelled], BLUE, legend="realised")
    panel.legend(0.03, 0.98)
    return chart.svg()


def _short(day: object) -> str:
    return f"{day:%m-%d}" if isinstance(day, date) else str(day)[5:]
