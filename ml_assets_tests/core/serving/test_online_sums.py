"""Sums of one slice and further values equal those of many slices, to the last bit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.features.exact_sums import ExactMoments
from ml_assets.core.serving.online_sums import AddedValues, ColumnMoments, exact_sum, round_exact

MONEY = st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
ANY = st.floats(-1e140, 1e140)
VALUES = st.lists(st.none() | MONEY | st.sampled_from([0.1, 0.2, 0.25]), max_size=12) | st.lists(
    st.none() | ANY | MONEY, max_size=12
)


def bits(value: float) -> bytes:
    return np.float64(math.nan if math.isnan(value) else value + 0.0).tobytes()


@given(VALUES, st.data())
def test_sum_mean_and_std_are_those_of_the_batch_to_the_last_bit(values, data):
    column = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    split = data.draw(st.integers(0, len(values)))
    first = data.draw(st.integers(0, split))
    present = ~np.isnan(column)
    moments = ExactMoments(np.where(present, column, 0.0))
    number = float(present[first:].sum())
    whole = np.array([first]), np.array([len(values)])
    column_moments = ColumnMoments(column[:split], squares=True)
    beside = AddedValues(column[split:][present[split:]].tolist())
    assert column_moments.number(first, split) + beside.number == number
    assert bits(column_moments.sum(first, split, beside)) == bits(moments.sum(*whole)[0])
    if number:
        assert bits(column_moments.sum(first, split, beside, number)) == bits(
            moments.mean(*whole, np.array([number]))[0]
        )
    assert bits(column_moments.std(first, split, beside, int(number))) == bits(
        moments.std(*whole, np.array([number]))[0]
    )


@given(st.lists(ANY))
def test_an_exact_sum_does_not_depend_on_the_order(values):
    assert exact_sum(values) == exact_sum(values[::-1])
    assert round_exact(exact_sum(values))[0] == pytest.approx(math.fsum(values), rel=1e-15)


def test_small_terms_are_not_rounded_away():
    assert round_exact(exact_sum([1e100, 1.0, -1e100])) == (1.0, 0.0)
    assert round_exact(exact_sum([0.1] * 10))[0] == math.fsum([0.1] * 10)


def test_equal_values_have_no_deviation_and_one_value_has_an_undefined_one():
    column_moments = ColumnMoments(np.array([1 / 3, 1 / 3]), squares=True)
    assert column_moments.std(0, 2, AddedValues([1 / 3]), 3) == 0.0
    assert math.isnan(column_moments.std(0, 1, AddedValues([]), 1))
