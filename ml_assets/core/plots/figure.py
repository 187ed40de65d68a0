"""Shared parts of all plots: colours, figures, axes, and the conversion to PNG bytes."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

BLUE, RED, ORANGE, GREY, DARK_GREY = "#2f6db3", "#c23b3b", "#e08a00", "#8a8a8a", "#555555"
# Higher levels of zlib take three times as long and save a tenth of the bytes.
COMPRESSION = 3


def empty_figure(width: float, height: float) -> "Figure":
    """Create a figure of this size in inches, with 100 dots per inch, without pyplot and without a display."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100)


def new_figure(height: float = 4, heights: tuple[int, ...] = (1,)) -> "tuple[Figure, list[Axes]]":
    """Create a figure of 6 inches by `height` with panels of these relative heights, one above the other."""
    figure = empty_figure(6, height)
    # Matplotlib's own layouts draw everything twice to compute these margins.
    figure.subplots_adjust(left=0.11, right=0.97, bottom=0.48 / height, top=1 - 0.28 / height, hspace=0.08)
    panels = list(figure.subplots(len(heights), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0])
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


def blank_plot(title: str, reason: str) -> bytes:
    """Return the PNG of a figure without a plot, which states the reason."""
    figure = empty_figure(6, 4)
    figure.text(0.5, 0.95, title, ha="center", va="center", fontsize=11)
    figure.text(0.5, 0.5, reason, ha="center", va="center", fontsize=11, color=DARK_GREY)
    return plot_bytes(figure)


def plot_bytes(figure: "Figure") -> bytes:
    """Return the PNG of a figure; equal figures give equal bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return png_bytes(canvas)


def png_bytes(canvas: "FigureCanvasAgg") -> bytes:
    """Return the PNG of what a canvas shows."""
    from matplotlib.image import imsave

    buffer = BytesIO()
    # Without Software, the bytes do not depend on the version of matplotlib.
    options = {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": COMPRESSION}}
    imsave(buffer, canvas.buffer_rgba(), format="png", **options)
    return buffer.getvalue()
