"""Pictures embedded in pages and as files: SVG, or PNG in reports of earlier versions."""

from base64 import b64encode


def data_uri(picture: bytes) -> str:
    """Return the data URI of a picture."""
    kind = "svg+xml" if _is_svg(picture) else "png"
    return f"data:image/{kind};base64,{b64encode(picture).decode()}"


def file_name(name: str, picture: bytes) -> str:
    """Return the file name of a picture, with its extension."""
    return f"{name}.svg" if _is_svg(picture) else f"{name}.png"


def _is_svg(picture: bytes) -> bool:
    return picture.startswith(b"<svg")
