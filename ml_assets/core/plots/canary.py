"""Plots of a canary: scores of champion and challenger in the traffic split, and their comparison by day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml_assets.core.plots.chart import BLUE, GREY, ORANGE
from ml_assets.core.plots.figure import empty_figure, plot_bytes, style_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 40
COLOURS = {"champion": BLUE, "challenger": ORANGE}


def traffic_split_plot(scores: Mapping[str, np.ndarray], title: str) -> bytes:
    """Plot the share of the champion's and the challenger's rows by score, on a logarithmic scale.

    Args:
        scores: scores from 0 to 1, by `champion` and `challenger`; one without rows is left out.
        title: title of the plot.
    """
    figure, axes = _new_figure(title)
    edges = np.linspace(0, 1, BINS + 1)
    for role, values in scores.items():
        if len(values):
            axes.stairs(
                np.histogram(values, edges)[0] / len(values),
                edges,
                color=COLOURS[role],
                linewidth=1.6,
                label=f"{role}, {len(values):,} rows",
            )
    axes.set(yscale="log", xlim=(-0.02, 1.02))
    axes.set_xlabel("Score", fontsize=9)
    axes.set_ylabel("Share of its rows", fontsize=9)
    return _render(figure, axes)


def comparison_plot(metric: str, days: Sequence[date], compared: pd.DataFrame, margin: float) -> bytes:
    """Plot the difference of a metric between challenger and champion by day, with intervals and the margin.

    Args:
        metric: name of the metric.
        days: days of decisions, ascending.
        compared: difference, low and high of each day on the same rows, as known on that day; NaN if undefined.
        margin: how much worse the challenger may be.
    """
    figure, axes = _new_figure(f"{metric}: challenger minus champion, on the challenger's entities")
    positions = np.arange(len(days))
    axes.fill_between(
        positions, compared["low"], compared["high"], color=ORANGE, alpha=0.25, linewidth=0, label="interval"
    )
    axes.plot(
        positions, compared["difference"], color=ORANGE, marker="o", markersize=3, linewidth=1.5, label="difference"
    )
    axes.axhline(0, color=GREY, linewidth=1)
    axes.axhline(-margin, color=GREY, linewidth=1, linestyle="--", label=f"margin {-margin:g}")
    step = max(len(days) // 8, 1)
    axes.set_xticks(positions[::step], [f"{day:%m-%d}" for day in days[::step]])
    return _render(figure, axes)


def _new_figure(title: str) -> "tuple[Figure, Axes]":
    figure = empty_figure(6, 3.4)
    figure.subplots_adjust(left=0.13, right=0.97, bottom=0.14, top=0.92)
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    style_axes(axes)
    return figure, axes


def _render(figure: "Figure", axes: "Axes") -> bytes:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, loc="best")
    return plot_bytes(figure)
