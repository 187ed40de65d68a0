"""Bins keep the order of numbers, and each day has the same weight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.profiling.histograms import (
    Histogram,
    from_sorted,
    lower_edges,
    mean_of_categories,
    mean_of_shares,
    number_bins,
)

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50)


@given(NUMBERS)
def test_a_larger_number_never_has_a_smaller_bin(numbers):
    bins = number_bins(np.sort(np.array(numbers)))
    assert (np.diff(bins) >= 0).all()
    assert abs(bins).max() < 2**31


@given(NUMBERS)
def test_a_bin_is_at_most_a_32nd_as_wide_as_its_numbers(numbers):
    values = np.array(numbers)
    edges = lower_edges(number_bins(values))
    normal = np.abs(values) > 1e-300
    assert (np.abs(edges) <= np.abs(values)).all()
    assert (np.abs(values - edges)[normal] <= np.abs(edges)[normal] / 32).all()


def test_both_zeros_and_each_small_integer_have_a_bin_of_their_own():
    assert len(set(number_bins(np.array([0.0, -0.0])))) == 1
    assert len(set(number_bins(np.arange(-64.0, 65.0)))) == 129


def test_counts_are_those_of_the_bins():
    histogram = from_sorted(np.array([3, 3, 5, 9, 9, 9]))
    assert histogram.bins.tolist() == [3, 5, 9]
    assert histogram.weights.tolist() == [2.0, 1.0, 3.0]
    assert histogram.weight(9) == 3.0
    assert histogram.weight(4) == 0.0
    assert from_sorted(np.empty(0, np.int64)).total == 0.0


def test_each_day_has_the_same_weight_and_empty_days_have_none():
    small, large = Histogram(np.array([1]), np.array([1.0])), Histogram(np.array([2, 7]), np.array([500.0, 500.0]))
    mean = mean_of_shares([small, large, from_sorted(np.empty(0, np.int64))])
    assert dict(zip(mean.bins.tolist(), mean.weights.tolist(), strict=True)) == {1: 0.5, 2: 0.25, 7: 0.25}
    assert mean_of_shares([]).total == 0.0
    assert mean_of_categories([{"a": 1}, {"a": 30, "b": 60}, {}], [1, 100, 0]) == pytest.approx({"a": 0.65, "b": 0.3})
