"""Plots with one line for each feature: their figure, and the names of the features beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml_assets.core.plots.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def lines_figure(features: int, longest: int, height: float) -> "tuple[Figure, Axes]":
    """Create a figure with a line for each feature, the first at the top, and room for their names.

    Args:
        features: number of lines.
        longest: number of characters of the longest name.
        height: height of the figure in inches, at least 2.
    """
    figure, (axes,) = new_figure(max(2.0, height))
    figure.subplots_adjust(left=min(0.03 + 0.0099 * longest, 0.6))
    axes.set(yticks=range(features), yticklabels=[], ylim=(features - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    return figure, axes


def label_lines(axes: "Axes", names: Sequence[str]) -> None:
    """Write the name of each feature left of its line."""
    for line, name in enumerate(names):
        axes.annotate(
            name,
            (0, line),
            (-4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=7,
            ha="right",
            va="center",
        )
