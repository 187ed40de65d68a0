"""Charts with one line for each feature, from top to bottom, and the names of the features beside them."""

import math
from collections.abc import Sequence

from ml_assets.core.plots.chart import WIDTH, Chart, Panel


def feature_lines(title: str, names: Sequence[str], ends: tuple[float, float], x_label: str) -> tuple[Chart, Panel]:
    """Return a chart and its panel, in which the feature with a number has the line at this number.

    Args:
        title: the title.
        names: the features, the first at the top; long names are cut off at the left.
        ends: ends of the axis.
        x_label: label of the axis.
    """
    height = 100 + 26 * len(names)
    left = min(16 + 6.2 * max(map(len, names)), 0.6 * WIDTH)
    chart = Chart(title, height)
    panel = chart.panel(30, height - 44, ends, (len(names) - 0.4, -0.6), left)
    panel.axes(ticks(*ends), list(enumerate(names)), x_label, has_y_grid=False)
    return chart, panel


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return four to nine round numbers of an axis with their texts."""
    raw = (high - low) / 8
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
    return [(number * step, f"{number * step:.6g}") for number in numbers]
