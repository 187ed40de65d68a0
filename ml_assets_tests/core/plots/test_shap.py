"""The picture of SHAP values is PNG, the same for the same rows, bounded in rows and features, and says so when there
is nothing to draw.
"""

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.plots import shap as module
from ml_assets.core.plots.shap import MOST_FEATURES, MOST_ROWS, contribution_plot, sampled_rows
from ml_assets_tests.core.model.test_scorer import FRAME, SCORER

CONTRIBUTIONS = SCORER.contributions(FRAME)[:, :-1]


@pytest.fixture
def drawn(monkeypatch):
    """The figures that a test draws."""
    figures = []
    monkeypatch.setattr(module, "plot_bytes", lambda figure: figures.append(figure) or b"")
    return figures


def names_of(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_it_is_the_same_png_each_time():
    plot = contribution_plot(CONTRIBUTIONS, FRAME, SCORER.features, 500)
    assert plot.startswith(b"\x89PNG")
    assert plot == contribution_plot(CONTRIBUTIONS, FRAME, SCORER.features, 500)
    assert len(plot) < 100_000


def test_features_are_ordered_by_how_far_they_move_scores_and_a_point_is_a_row(drawn):
    contribution_plot(CONTRIBUTIONS, FRAME, SCORER.features, 500)
    strength = dict(zip(SCORER.features, np.abs(CONTRIBUTIONS).mean(axis=0), strict=True))
    assert names_of(drawn[0]) == sorted(strength, key=lambda name: (-strength[name], name))
    points = drawn[0].axes[0].collections[0].get_offsets()
    assert len(points) == CONTRIBUTIONS.size
    assert (np.abs(points[:, 1] - np.repeat(np.arange(len(strength)), len(FRAME))) < 0.401).all()
    assert drawn[0].axes[0].get_title() == "What features add to the log odds of 200 of 500 rows"


def test_colours_are_ranks_of_numbers_and_categories_are_grey(drawn):
    frame = pd.DataFrame({"number": [1.0, 1000.0, np.nan], "text": ["a", "b", "c"], "constant": [1, 1, 1]})
    contribution_plot(np.ones((3, 3)) * [3, 2, 1], frame, list(frame), 3)
    assert drawn[0].axes[0].collections[0].get_array().filled(-1).tolist() == [0, 1, -1, -1, -1, -1, 0.5, 0.5, 0.5]


def test_of_many_features_those_that_move_scores_most_are_shown(drawn):
    frame = pd.DataFrame({f"f{which:02}": [0.0, 1.0] for which in range(30)})
    contribution_plot(np.tile(np.arange(30.0), (2, 1)), frame, list(frame), 2)
    assert names_of(drawn[0]) == [f"f{which:02}" for which in range(29, 29 - MOST_FEATURES, -1)]


def test_a_sample_is_bounded_repeatable_and_of_all_the_rows():
    assert sampled_rows(5, 1).tolist() == [0, 1, 2, 3, 4]
    chosen = sampled_rows(50_000, 1)
    assert len(set(chosen)) == len(chosen) == MOST_ROWS
    assert (np.diff(chosen) > 0).all()
    assert chosen.min() < 1000
    assert chosen.max() > 49_000
    assert chosen.tolist() == sampled_rows(50_000, 1).tolist() != sampled_rows(50_000, 2).tolist()


def test_nothing_to_draw_is_said():
    assert contribution_plot(CONTRIBUTIONS[:0], FRAME.head(0), SCORER.features, 0).startswith(b"\x89PNG")
    assert contribution_plot(np.zeros_like(CONTRIBUTIONS), FRAME, SCORER.features, 200).startswith(b"\x89PNG")
