import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.features.exact_sums import ExactMoments, ExactSums

DOUBLES = st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-250) | st.sampled_from(
    [0.1, 0.07, 1e-9, 1e-140, -1e9, 2.0**40 + 0.5]
)
CENTS = st.integers(-(10**7), 10**7)


def whole_slice(values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([0]), np.array([len(values)])


def moments(values: list[float]) -> tuple[float, float, float]:
    calculated, number = ExactMoments(np.array(values)), np.array([float(len(values))])
    return (
        calculated.sum(*whole_slice(values))[0],
        calculated.mean(*whole_slice(values), number)[0],
        calculated.std(*whole_slice(values), number)[0],
    )


def test_decimal_amounts_have_decimal_sums():
    assert moments([0.1, 0.2])[0] == 0.3
    assert moments([0.1, 0.1, 0.1])[:2] == (0.3, 0.1)
    assert moments([19.99, -19.99, 0.01])[0] == 0.01


@given(st.lists(CENTS, min_size=1, max_size=30))
def test_sums_and_means_of_hundredths_are_correctly_rounded(cents: list[int]):
    total, mean, _ = moments([c / 100 for c in cents])
    # True division of integers is correctly rounded.
    assert total == sum(cents) / 100
    assert mean == sum(cents) / (100 * len(cents))


@given(st.lists(DOUBLES, max_size=30))
def test_the_sum_of_doubles_is_that_of_exact_arithmetic(values: list[float]):
    high, low = ExactSums(np.array(values)).over(*whole_slice(values))
    exact = sum(map(Fraction, values), Fraction(0))
    assert high[0] == pytest.approx(float(exact), rel=1e-15, abs=0)
    assert abs(Fraction(high[0]) + Fraction(low[0]) - exact) <= abs(exact) / 2**95


def test_cancellation_leaves_the_exact_remainder():
    assert ExactSums(np.array([1e16, 1.0, -1e16, 1e-30])).over(np.array([0]), np.array([4]))[0] == [1.0]
    assert ExactSums(np.array([2.0**64, 2.0**-64, -(2.0**64)])).over(np.array([0]), np.array([3]))[0] == [2.0**-64]


@given(st.lists(DOUBLES, max_size=8), st.lists(DOUBLES, min_size=2, max_size=8), st.lists(DOUBLES, max_size=8))
def test_values_outside_a_slice_have_no_influence_on_it(before: list[float], inside: list[float], after: list[float]):
    only_slice, with_others = ExactMoments(np.array(inside)), ExactMoments(np.array(before + inside[::-1] + after))
    first, last, number = np.array([len(before)]), np.array([len(before) + len(inside)]), np.array([float(len(inside))])
    assert with_others.sum(first, last) == only_slice.sum(*whole_slice(inside))
    assert with_others.mean(first, last, number) == only_slice.mean(*whole_slice(inside), number)
    assert with_others.std(first, last, number) == only_slice.std(*whole_slice(inside), number)


@given(
    st.lists(
        st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-120) | CENTS.map(lambda c: c / 100),
        min_size=2,
        max_size=12,
    ),
    st.sampled_from([0.0, 1e7]),
)
def test_std_is_that_of_exact_arithmetic(values: list[float], offset: float):
    values = [value + offset for value in values]
    mean = sum(map(Fraction, values)) / len(values)
    expected = math.sqrt(sum((Fraction(v) - mean) ** 2 for v in values) / (len(values) - 1))
    assert moments(values)[2] == pytest.approx(expected, rel=1e-9, abs=1e-15 * max(map(abs, values)))


@given(DOUBLES | st.floats(-1e140, 1e140), st.integers(2, 40))
def test_std_of_equal_values_is_exactly_0(value: float, times: int):
    assert moments([value] * times)[2] == 0.0


def test_std_of_values_that_are_nearly_equal_and_far_from_0():
    assert moments([1e9 + 0.01, 1e9 + 0.02, 1e9 + 0.03])[2] == pytest.approx(0.01, rel=1e-12)


def test_an_empty_slice_has_sum_0_and_no_mean_or_std():
    calculated, empty_slice, zero_values = ExactMoments(np.array([1.5, 2.5])), np.array([1]), np.array([0.0])
    assert calculated.sum(empty_slice, empty_slice) == [0.0]
    assert np.isnan(calculated.mean(empty_slice, empty_slice, zero_values))
    assert np.isnan(calculated.std(empty_slice, empty_slice, zero_values))
    assert np.isnan(calculated.std(np.array([0]), np.array([1]), np.array([1.0])))
