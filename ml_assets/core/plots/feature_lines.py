"""Charts with a labelled row for each feature, from top to bottom."""

from collections.abc import Sequence

from ml_assets.core.plots.chart import WIDTH, Chart, Panel, ticks


def feature_lines(title: str, names: Sequence[str], ends: tuple[float, float], x_label: str) -> tuple[Chart, Panel]:
    """Return a chart and its panel, in which the row of the feature at position i is at height i.

    Args:
        title: the title.
        names: the features, the first at the top; long names are truncated on the left.
        ends: ends of the axis.
        x_label: label of the axis.
    """
    height = 100 + 26 * len(names)
    left = min(16 + 6.2 * max(map(len, names)), 0.6 * WIDTH)
    chart = Chart(title, height)
    panel = chart.panel(30, height - 44, ends, (len(names) - 0.4, -0.6), left)
    panel.axes(ticks(*ends), list(enumerate(names)), x_label, has_y_grid=False)
    return chart, panel
