"""The format of a plot, for pages and file names: SVG, or PNG in reports of earlier versions."""

from base64 import b64encode


def data_uri(plot: bytes) -> str:
    """Return the data URI of a plot."""
    kind = "svg+xml" if _is_svg(plot) else "png"
    return f"data:image/{kind};base64,{b64encode(plot).decode()}"


def file_name(name: str, plot: bytes) -> str:
    """Return the file name of a plot, with its extension."""
    return f"{name}.svg" if _is_svg(plot) else f"{name}.png"


def _is_svg(plot: bytes) -> bool:
    return plot.startswith(b"<svg")
