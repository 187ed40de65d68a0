"""Canary plots are SVGs, the same for the same input, even with little to draw."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.plots.canary import comparison_plot, traffic_split_plot

SCORES = np.linspace(0, 1, 50)
DAYS = [date(2025, 3, number) for number in range(1, 13)]


@pytest.mark.parametrize("challenger", [SCORES**2, np.array([])], ids=["both models", "one model"])
def test_the_scores_of_the_traffic_split_are_drawn(challenger):
    plot = traffic_split_plot({"champion": SCORES, "challenger": challenger}, "Scores")
    assert plot.startswith(b"<svg")
    assert plot == traffic_split_plot({"champion": SCORES, "challenger": challenger}, "Scores")


def test_a_challenger_changes_the_plot():
    assert traffic_split_plot({"champion": SCORES}, "Scores") != traffic_split_plot(
        {"champion": SCORES, "challenger": SCORES**2}, "Scores"
    )


def test_a_split_without_rows_says_so():
    assert b"There are no rows" in traffic_split_plot({"champion": np.array([])}, "Scores")


@pytest.mark.parametrize("days", [1, 12])
def test_the_comparison_is_drawn_also_where_it_is_undefined(days):
    difference = np.linspace(-0.1, 0.1, days)
    difference[0] = np.nan
    compared = pd.DataFrame({"difference": difference, "low": difference - 0.05, "high": difference + 0.05})
    plot = comparison_plot("roc_auc", DAYS[:days], compared, 0.02)
    assert plot.startswith(b"<svg")
    assert b"nan" not in plot
    assert plot != comparison_plot("roc_auc", DAYS[:days], compared, 0.04)
