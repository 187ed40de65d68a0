"""Intervals of proportions are valid for few rows, NaN without rows, and detect real differences."""

import math

import numpy as np
import pytest

from ml_assets.core.metrics.paired_proportions import (
    mean_interval,
    proportion_difference,
    proportion_interval,
    proportion_ratio,
)


def first_true(count: int, rows: int) -> np.ndarray:
    """Return booleans of shape (rows,), of which the first `count` are true."""
    return np.arange(rows) < count


def test_the_difference_of_shares_is_that_of_the_same_rows():
    estimate = proportion_difference(first_true(30, 200), first_true(10, 200), 0.99)
    assert (estimate.challenger, estimate.champion, estimate.difference) == (0.15, 0.05, pytest.approx(0.1))
    # Agresti and Min by hand: (20 + 0) / 202, z 2.5758, sqrt(21 - 400 / 202) / 202.
    assert (estimate.low, estimate.high) == (pytest.approx(0.0434, abs=1e-4), pytest.approx(0.1546, abs=1e-4))


def test_rows_on_which_both_agree_do_not_widen_the_interval_of_a_difference():
    agreeing = proportion_difference(first_true(500, 1000), first_true(500, 1000), 0.99)
    apart = proportion_difference(first_true(500, 1000), ~first_true(500, 1000), 0.99)
    assert agreeing.high - agreeing.low < (apart.high - apart.low) / 10


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_few_wrong_decisions_are_not_significant(rows):
    estimate = proportion_difference(first_true(rows, rows), first_true(0, rows), 0.99)
    assert estimate.difference == 1
    assert estimate.low < 0.01


def test_the_ratio_of_shares_needs_more_than_a_few_positive_decisions():
    rare = proportion_ratio(first_true(6, 5000), first_true(1, 5000), 0.99)
    assert rare.low < 1 < rare.high
    often = proportion_ratio(first_true(150, 5000), first_true(20, 5000), 0.99)
    assert often.low > 3
    seldom = proportion_ratio(first_true(20, 5000), first_true(150, 5000), 0.99)
    assert seldom.high == pytest.approx(1 / often.low)


def test_without_positive_decisions_the_ratio_is_1_with_a_wide_interval():
    estimate = proportion_ratio(first_true(0, 1000), first_true(0, 1000), 0.99)
    assert (estimate.challenger, estimate.champion, estimate.difference) == (0, 0, 1)
    assert estimate.low < 0.1 < 10 < estimate.high


def test_no_rows_have_no_figures():
    for estimate in (proportion_difference([], [], 0.99), proportion_ratio([], [], 0.99)):
        assert all(
            math.isnan(value)
            for value in (estimate.challenger, estimate.champion, estimate.difference, estimate.low, estimate.high)
        )
    assert all(math.isnan(bound) for bound in (*proportion_interval(0, 0, 0.9), *mean_interval([0.5], 0.9)))


def test_the_interval_of_a_share_holds_it_at_both_ends():
    low, high = proportion_interval(0, 20, 0.95)
    assert (low, high) == (0, pytest.approx(0.1611, abs=1e-4))
    assert proportion_interval(20, 20, 0.95) == (pytest.approx(1 - high), 1)


def test_intervals_contain_the_true_value_with_their_confidence():
    draw, coverage = np.random.default_rng(1), {"difference": 0, "ratio": 0}
    for _ in range(400):
        common = draw.random(300)
        challenger, champion = common < 0.12, (common < 0.06) | ((common > 0.9) & (common < 0.94))
        difference, ratio = (
            proportion_difference(challenger, champion, 0.9),
            proportion_ratio(challenger, champion, 0.9),
        )
        coverage["difference"] += difference.low <= 0.02 <= difference.high
        coverage["ratio"] += ratio.low <= 1.2 <= ratio.high
    assert all(0.86 <= count / 400 <= 0.96 for count in coverage.values()), coverage


def test_the_interval_of_a_mean_is_around_it():
    low, high = mean_interval([0.1, 0.2, 0.3], 0.95)
    assert (low + high) / 2 == pytest.approx(0.2)
    assert high - low == pytest.approx(2 * 1.96 * 0.1 / math.sqrt(3), rel=1e-3)
