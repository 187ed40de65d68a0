"""The SHAP plot is a PNG, the same for the same rows, and bounded in rows and features."""

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.plots import frame
from ml_assets.core.plots.shap import MAX_FEATURES, MAX_ROWS, contribution_plot, sampled_rows
from ml_assets_tests.core.model.test_scorer import FRAME, SCORER

CONTRIBUTIONS = SCORER.contributions(FRAME)[:, :-1]


@pytest.fixture
def drawn(monkeypatch):
    """Figures that a test draws."""
    figures = []
    monkeypatch.setattr(frame, "png_bytes", lambda canvas: figures.append(canvas.figure) or b"")
    return figures


def names_of(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_it_is_the_same_png_each_time():
    plot = contribution_plot(CONTRIBUTIONS, FRAME, SCORER.features, 500)
    assert plot.startswith(b"\x89PNG")
    assert plot == contribution_plot(CONTRIBUTIONS, FRAME, SCORER.features, 500)
    assert len(plot) < 100_000


def test_features_are_ordered_by_mean_absolute_contribution_with_a_point_for_each_row(drawn):
    contribution_plot(CONTRIBUTIONS, FRAME, SCORER.features, 500)
    strength = dict(zip(SCORER.features, np.abs(CONTRIBUTIONS).mean(axis=0), strict=True))
    assert names_of(drawn[0]) == sorted(strength, key=lambda name: (-strength[name], name))
    points = drawn[0].axes[0].collections[0].get_offsets()
    assert len(points) == CONTRIBUTIONS.size
    assert (np.abs(points[:, 1] - np.repeat(np.arange(len(strength)), len(FRAME))) < 0.401).all()
    assert drawn[0].axes[0].get_title(loc="right") == "What features add to the log odds of 200 of 500 rows"


def test_colours_are_ranks_of_numbers_and_categories_are_grey(drawn):
    frame = pd.DataFrame({"number": [1.0, 1000.0, np.nan], "text": ["a", "b", "c"], "constant": [1, 1, 1]})
    contribution_plot(np.ones((3, 3)) * [3, 2, 1], frame, list(frame), 3)
    assert drawn[0].axes[0].collections[0].get_array().filled(-1).tolist() == [0, 1, -1, -1, -1, -1, 0.5, 0.5, 0.5]


def test_only_the_most_influential_features_are_shown(drawn):
    frame = pd.DataFrame({f"f{index:02}": [0.0, 1.0] for index in range(30)})
    contribution_plot(np.tile(np.arange(30.0), (2, 1)), frame, list(frame), 2)
    assert names_of(drawn[0]) == [f"f{index:02}" for index in range(29, 29 - MAX_FEATURES, -1)]


def test_a_sample_is_bounded_repeatable_and_of_all_the_rows():
    assert sampled_rows(5, 1).tolist() == [0, 1, 2, 3, 4]
    sample = sampled_rows(50_000, 1)
    assert len(set(sample)) == len(sample) == MAX_ROWS
    assert (np.diff(sample) > 0).all()
    assert sample.min() < 1000
    assert sample.max() > 49_000
    assert sample.tolist() == sampled_rows(50_000, 1).tolist() != sampled_rows(50_000, 2).tolist()


def test_a_plot_without_rows_or_contributions_is_drawn():
    assert contribution_plot(CONTRIBUTIONS[:0], FRAME.head(0), SCORER.features, 0).startswith(b"\x89PNG")
    assert contribution_plot(np.zeros_like(CONTRIBUTIONS), FRAME, SCORER.features, 200).startswith(b"\x89PNG")
