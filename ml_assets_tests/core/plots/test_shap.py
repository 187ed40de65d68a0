"""The SHAP plot is an SVG, the same for the same rows, and bounded in rows and features."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd

from ml_assets.core.plots.colours import GREY
from ml_assets.core.plots.shap import MAX_FEATURES, MAX_ROWS, contribution_plot, sampled_rows
from ml_assets_tests.core.model.test_scorer import FRAME, SCORER

SVG = "{http://www.w3.org/2000/svg}"
CONTRIBUTIONS = SCORER.contributions(FRAME)[:, :-1]


def names_of(svg):
    return [
        element.text
        for element in ElementTree.fromstring(svg).iter(f"{SVG}text")
        if element.get("text-anchor") == "end"
    ]


def points_of(svg):
    """Return the number of points by colour."""
    return {
        path.attrib["stroke"]: path.attrib["d"].count("M")
        for path in ElementTree.fromstring(svg).iter(f"{SVG}path")
        if path.get("stroke-linecap") == "round"
    }


def test_it_is_the_same_svg_each_time():
    plot = contribution_plot(CONTRIBUTIONS, FRAME, SCORER.features, 500)
    assert plot == contribution_plot(CONTRIBUTIONS, FRAME, SCORER.features, 500)
    assert len(plot) < 100_000


def test_features_are_ordered_by_mean_absolute_contribution_with_a_point_for_each_row():
    svg = contribution_plot(CONTRIBUTIONS, FRAME, SCORER.features, 500)
    strength = dict(zip(SCORER.features, np.abs(CONTRIBUTIONS).mean(axis=0), strict=True))
    assert names_of(svg) == sorted(strength, key=lambda name: (-strength[name], name))
    assert sum(points_of(svg).values()) == CONTRIBUTIONS.size
    assert b"What features add to the log odds of 200 of 500 rows" in svg


def test_colours_are_ranks_of_numbers_and_categories_are_grey():
    frame = pd.DataFrame({"number": [1.0, 1000.0, np.nan], "text": ["a", "b", "c"]})
    points = points_of(contribution_plot(np.ones((3, 2)) * [3, 2], frame, list(frame), 3))
    assert points == {"#2f6db3": 1, "#c23b3b": 1, GREY: 4}


def test_only_the_most_influential_features_are_shown():
    frame = pd.DataFrame({f"f{index:02}": [0.0, 1.0] for index in range(30)})
    svg = contribution_plot(np.tile(np.arange(30.0), (2, 1)), frame, list(frame), 2)
    assert names_of(svg) == [f"f{index:02}" for index in range(29, 29 - MAX_FEATURES, -1)]


def test_a_sample_is_bounded_repeatable_and_of_all_the_rows():
    assert sampled_rows(5, 1).tolist() == [0, 1, 2, 3, 4]
    sample = sampled_rows(50_000, 1)
    assert len(set(sample)) == len(sample) == MAX_ROWS
    assert (np.diff(sample) > 0).all()
    assert sample.min() < 1000
    assert sample.max() > 49_000
    assert sample.tolist() == sampled_rows(50_000, 1).tolist() != sampled_rows(50_000, 2).tolist()


def test_a_plot_without_rows_or_contributions_is_drawn():
    assert contribution_plot(CONTRIBUTIONS[:0], FRAME.head(0), SCORER.features, 0).startswith(b"<svg")
    assert contribution_plot(np.zeros_like(CONTRIBUTIONS), FRAME, SCORER.features, 200).startswith(b"<svg")
