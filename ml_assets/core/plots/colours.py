"""The colours of all plots."""

BLUE, RED, ORANGE, GREY, DARK_GREY = "#2f6db3", "#c23b3b", "#e08a00", "#8a8a8a", "#555555"
GRID = "#dddddd"
CLASSES = (BLUE, RED, ORANGE, "#3a8f5c", "#7a4fb5", "#1f9aa8")
# The lowest, middle and highest value of a feature.
LOW_TO_HIGH = (BLUE, "#8d6fa8", RED)


def channels(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of a colour such as `#2f6db3`, from 0 to 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
