"""Intervals of shares hold for few rows, say nothing where there is nothing, and find real differences."""

import math

import numpy as np
import pytest

from ml_assets.core.metrics.paired_proportions import (
    mean_interval,
    proportion_difference,
    proportion_interval,
    proportion_ratio,
)


def of(count: int, rows: int) -> np.ndarray:
    """A boolean for each of some rows, of which the first `count` are true."""
    return np.arange(rows) < count


def test_the_difference_of_shares_is_that_of_the_same_rows():
    found = proportion_difference(of(30, 200), of(10, 200), 0.99)
    assert (found.challenger, found.champion, found.difference) == (0.15, 0.05, pytest.approx(0.1))
    # Agresti and Min by hand: (20 + 0) / 202, z 2.5758, sqrt(21 - 400 / 202) / 202.
    assert (found.low, found.high) == (pytest.approx(0.0434, abs=1e-4), pytest.approx(0.1546, abs=1e-4))


def test_rows_on_which_both_agree_do_not_widen_the_interval_of_a_difference():
    agreeing = proportion_difference(of(500, 1000), of(500, 1000), 0.99)
    apart = proportion_difference(of(500, 1000), ~of(500, 1000), 0.99)
    assert agreeing.high - agreeing.low < (apart.high - apart.low) / 10


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_few_wrong_decisions_say_nothing_yet(rows):
    found = proportion_difference(of(rows, rows), of(0, rows), 0.99)
    assert found.difference == 1
    assert found.low < 0.01


def test_the_ratio_of_shares_needs_more_than_a_few_positive_decisions():
    rare = proportion_ratio(of(6, 5000), of(1, 5000), 0.99)
    assert rare.low < 1 < rare.high
    often = proportion_ratio(of(150, 5000), of(20, 5000), 0.99)
    assert often.low > 3
    seldom = proportion_ratio(of(20, 5000), of(150, 5000), 0.99)
    assert seldom.high == pytest.approx(1 / often.low)


def test_without_positive_decisions_the_ratio_is_1_with_a_wide_interval():
    found = proportion_ratio(of(0, 1000), of(0, 1000), 0.99)
    assert (found.challenger, found.champion, found.difference) == (0, 0, 1)
    assert found.low < 0.1 < 10 < found.high


def test_no_rows_have_no_figures():
    for found in (proportion_difference([], [], 0.99), proportion_ratio([], [], 0.99)):
        assert all(
            math.isnan(value) for value in (found.challenger, found.champion, found.difference, found.low, found.high)
        )
    assert all(math.isnan(bound) for bound in (*proportion_interval(0, 0, 0.9), *mean_interval([0.5], 0.9)))


def test_the_interval_of_a_share_holds_it_at_both_ends():
    low, high = proportion_interval(0, 20, 0.95)
    assert (low, high) == (0, pytest.approx(0.1611, abs=1e-4))
    assert proportion_interval(20, 20, 0.95) == (pytest.approx(1 - high), 1)


def test_intervals_hold_the_truth_as_often_as_they_say():
    draw, held = np.random.default_rng(1), {"difference": 0, "ratio": 0}
    for _ in range(400):
        common = draw.random(300)
        ours, theirs = common < 0.12, (common < 0.06) | ((common > 0.9) & (common < 0.94))
        difference, ratio = proportion_difference(ours, theirs, 0.9), proportion_ratio(ours, theirs, 0.9)
        held["difference"] += difference.low <= 0.02 <= difference.high
        held["ratio"] += ratio.low <= 1.2 <= ratio.high
    assert all(0.86 <= count / 400 <= 0.96 for count in held.values()), held


def test_the_interval_of_a_mean_is_around_it():
    low, high = mean_interval([0.1, 0.2, 0.3], 0.95)
    assert (low + high) / 2 == pytest.approx(0.2)
    assert high - low == pytest.approx(2 * 1.96 * 0.1 / math.sqrt(3), rel=1e-3)
