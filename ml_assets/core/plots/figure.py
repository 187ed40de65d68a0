"""Shared parts of the plots that matplotlib draws: figures, and their conversion to PNG bytes."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

# Higher levels of zlib take three times as long and save a tenth of the bytes.
COMPRESSION = 3


def empty_figure(width: float, height: float) -> "Figure":
    """Create a figure of this size in inches, with 100 dots per inch, without pyplot and without a display."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100)


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
