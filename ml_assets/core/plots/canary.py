"""Pictures of what is live, as PNG bytes: how the sides score, and how the canary has compared with the champion day by
day.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml_assets.core.plots.evaluation import BLUE, GREY, ORANGE, plot_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 40
COLOURS = {"champion": BLUE, "challenger": ORANGE}


def traffic_split_plot(scores: Mapping[str, np.ndarray], title: str) -> bytes:
    """The share of the rows of each side by score, on a logarithmic scale.

    Args:
        scores: from 0 to 1, by side; sides without rows are left out.
        title: of the picture.
    """
    figure, axes = _canvas(title)
    edges = np.linspace(0, 1, BINS + 1)
    for side, values in scores.items():
        if len(values):
            axes.stairs(
                np.histogram(values, edges)[0] / len(values),
                edges,
                color=COLOURS[side],
                linewidth=1.6,
                label=f"{side}, {len(values):,} rows",
            )
    axes.set(yscale="log", xlim=(-0.02, 1.02))
    axes.set_xlabel("Score", fontsize=9)
    axes.set_ylabel("Share of the rows of the side", fontsize=9)
    return _finished(figure, axes)


def comparison_plot(metric: str, days: Sequence[date], compared: pd.DataFrame, margin: float) -> bytes:
    """How much better the challenger is than the champion on the same rows, as known on each day, with intervals and
    the margin.

    Args:
        metric: its name.
        days: days of decisions, ascending.
        compared: difference, low and high of each day, in the order of the days; NaN where they are undefined.
        margin: how much worse the challenger may be.
    """
    figure, axes = _canvas(f"{metric}: challenger less champion, on the challenger's entities")
    places = np.arange(len(days))
    axes.fill_between(
        places, compared["low"], compared["high"], color=ORANGE, alpha=0.25, linewidth=0, label="interval"
    )
    axes.plot(places, compared["difference"], color=ORANGE, marker="o", markersize=3, linewidth=1.5, label="difference")
    axes.axhline(0, color=GREY, linewidth=1)
    axes.axhline(-margin, color=GREY, linewidth=1, linestyle="--", label=f"margin {-margin:g}")
    step = max(len(days) // 8, 1)
    axes.set_xticks(places[::step], [f"{day:%m-%d}" for day in days[::step]])
    return _finished(figure, axes)


def _canvas(title: str) -> "tuple[Figure, Axes]":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.4), dpi=100)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.13, right=0.97, bottom=0.14, top=0.92)
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def _finished(figure: "Figure", axes: "Axes") -> bytes:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, loc="best")
    return plot_bytes(figure)
