"""Plots of a regression are SVGs, the same for the same rows in any order, and small."""

from xml.etree import ElementTree

import numpy as np
import pytest

from ml_assets.core.plots.regression import (
    error_by_decile_plot,
    predicted_against_actual_plot,
    quantile_coverage_plot,
    residuals_plot,
)

SVG = "{http://www.w3.org/2000/svg}"
ESTIMATE, UNDEFINED = (0.9, 0.85, 0.95), (float("nan"),) * 3
PLOTS = {
    "predicted": predicted_against_actual_plot,
    "residuals": residuals_plot,
    "deciles": error_by_decile_plot,
    "coverage": lambda targets, predictions, estimate: quantile_coverage_plot(
        targets, {0.1: predictions - 1, 0.9: predictions + 1}, estimate
    ),
}


@pytest.fixture(params=PLOTS)
def draw(request):
    return PLOTS[request.param]


def texts(svg: bytes) -> list[str]:
    return [text for element in ElementTree.fromstring(svg).iter(f"{SVG}text") if (text := element.text)]


def test_a_plot_is_the_same_svg_in_any_row_order(draw):
    random = np.random.default_rng(0)
    targets = random.gamma(2, 20, 3_000)
    predictions, order = targets * random.normal(1, 0.2, 3_000), random.permutation(3_000)
    svg = draw(targets, predictions, ESTIMATE)
    assert ElementTree.fromstring(svg).attrib["width"] == "600"
    assert svg == draw(targets[order], predictions[order], ESTIMATE)
    assert svg != draw(targets + 30, predictions, ESTIMATE)
    assert "0.9 (interval 0.85 to 0.95)" in texts(svg)[0]


@pytest.mark.parametrize("rows", [[], [3.0], [3.0, 3.0], [0.0, 0.0, 0.0], [1.0, -2.0, 1e12]])
def test_every_kind_of_rows_gives_a_plot(draw, rows):
    svg = draw(np.array(rows), np.array(rows), UNDEFINED)
    assert texts(svg)
    assert b"nan" not in svg.lower()
    assert ("There are no rows" in texts(svg)) == (not rows)


def test_a_plot_of_many_rows_is_small(draw):
    targets = np.random.default_rng(0).normal(size=100_000)
    assert len(draw(targets, targets + 1, ESTIMATE)) < 40_000


def test_decile_bars_show_where_errors_are_large():
    predictions = np.arange(100.0)
    svg = error_by_decile_plot(np.where(predictions < 90, predictions, 0), predictions, UNDEFINED)
    assert {"94.5", "mean absolute error", "mean of prediction - target"} <= set(texts(svg))
