"""Shared parts of matplotlib plots: figures, and their conversion to PNG bytes."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

# Higher zlib levels take three times as long and save only a tenth of the bytes.
COMPRESSION = 3


def empty_figure(width: float, height: float) -> "Figure":
    """Create a figure of this size in inches, at 100 dots per inch, without pyplot or a display."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100)


def plot_bytes(figure: "Figure") -> bytes:
    """Return the PNG of a figure; equal figures give equal bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return png_bytes(canvas)


def png_bytes(canvas: "FigureCanvasAgg") -> bytes:
    """Return the content of a canvas as PNG."""
    from matplotlib.image import imsave

    buffer = BytesIO()
    # Without the metadata entry Software, the bytes do not depend on the version of matplotlib.
    options = {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": COMPRESSION}}
    imsave(buffer, canvas.buffer_rgba(), format="png", **options)
    return buffer.getvalue()
