"""A plot of figures by day has gaps where there are none, and marks failures and bounds."""

import xml.etree.ElementTree as ElementTree
from datetime import date, timedelta

import numpy as np

from ml_assets.core.plots.colours import BLUE, ORANGE, RED
from ml_assets.core.plots.day_series import DaySeries, plot_day_series

DAYS = [date(2025, 1, 1) + timedelta(days=number) for number in range(6)]
VALUES = np.array([0.5, 0.6, np.nan, 0.7, 0.6, 0.5])


def plot(*series: DaySeries, **options) -> str:
    picture = plot_day_series("a title", DAYS, series, **options)
    assert picture is not None
    ElementTree.fromstring(picture)
    return picture.decode()


def test_a_day_without_a_figure_is_a_gap_and_no_coordinate_is_undefined():
    picture = plot(DaySeries("share", VALUES, BLUE, low=VALUES - 0.1, high=VALUES + 0.1))
    assert "nan" not in picture
    assert picture.count(f'stroke="{BLUE}" stroke-width="1.5"') == 2, "a line before and one after the gap"


def test_failures_and_bounds_are_drawn():
    failed = np.array([False, True, True, False, False, False])
    picture = plot(DaySeries("share", VALUES, BLUE, marked=failed), bounds=[0.9])
    assert picture.count(RED) == 1, "the second day, because the third has no figure"
    assert "5 3" in picture


def test_kinds_of_figures_have_a_legend_and_a_single_kind_has_none():
    several = plot(DaySeries("first", VALUES, BLUE), DaySeries("second", VALUES, ORANGE))
    assert "first" in several
    assert "second" in several
    assert "first" not in plot(DaySeries("first", VALUES, BLUE))


def test_bars_are_drawn_upon_each_other():
    low, high = np.full(6, 10.0), np.full(6, 5.0)
    picture = plot(DaySeries("low", low, BLUE, "bars"), DaySeries("high", high, RED, "bars"))
    assert ">15<" in picture or ">16<" in picture or ">14<" in picture, "the axis reaches the sum"


def test_there_is_no_plot_of_fewer_than_two_days():
    alone = np.array([0.5, *[np.nan] * 5])
    assert plot_day_series("a title", DAYS, [DaySeries("share", alone, BLUE)]) is None
    assert plot_day_series("a title", DAYS, []) is None
    assert plot(DaySeries("constant", np.full(6, 3.0), BLUE)), "an axis of equal figures has a length"
