"""Shared parts of all plots: colours, figures, axes, and the conversion to PNG bytes."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, RED, ORANGE, GREY, DARK_GREY = "#2f6db3", "#c23b3b", "#e08a00", "#8a8a8a", "#555555"


def empty_figure(width: float, height: float) -> "Figure":
    """Create a figure of this size in inches, with 100 dots per inch, without pyplot and without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100)
    FigureCanvasAgg(figure)
    return figure


def new_figure(title: str, heights: tuple[int, ...] = (1,)) -> "tuple[Figure, list[Axes]]":
    """Create a figure of 600 x 400 dots with panels of these relative heights, one above the other."""
    figure = empty_figure(6, 4)
    # Matplotlib's own layouts draw everything twice to compute these margins.
    figure.subplots_adjust(left=0.11, right=0.97, bottom=0.12, top=0.93, hspace=0.08)
    panels = list(figure.subplots(len(heights), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0])
    panels[0].set_title(title, fontsize=11)
    for axes in panels:
        style_axes(axes)
        axes.set_axisbelow(True)
    return figure, panels


def style_axes(axes: "Axes") -> None:
    """Draw a light grid, no frame at the top and at the right, and small tick labels."""
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def label_axes(axes: "Axes", x_label: str, y_label: str) -> None:
    """Set the labels of both axes."""
    axes.set_xlabel(x_label, fontsize=9)
    axes.set_ylabel(y_label, fontsize=9)


def blank_plot(figure: "Figure", reason: str) -> bytes:
    """Return the PNG of a figure without a plot, which states the reason."""
    for axes in figure.axes:
        axes.set_axis_off()
    figure.text(0.5, 0.5, reason, ha="center", va="center", fontsize=11, color=DARK_GREY)
    return plot_bytes(figure)


def plot_bytes(figure: "Figure") -> bytes:
    """Return the PNG of a figure; equal figures give equal bytes."""
    buffer = BytesIO()
    # Without Software, the bytes do not depend on the version of matplotlib. savefig writes no time.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
