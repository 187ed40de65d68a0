"""Profiles of days are merged into one reference, in which each day has the same weight."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from ml_assets.core.profiling.reference_profile import merge_profiles
from ml_assets_tests.core.profiling.profile_cases import normal, profile_of


def test_a_day_with_ten_times_the_rows_does_not_dominate():
    merged = merge_profiles([profile_of([1.0] * 10), profile_of([2.0] * 90 + [None] * 10)])
    assert merged.histogram.weights.tolist() == [0.5, 0.5]
    assert merged.missing == pytest.approx(0.05)
    assert (merged.days, merged.kind) == (2, "number")
    # The mean of a small and an infinitely large day is as precise as four times the rows of the small day.
    assert merged.present == pytest.approx(4 / (1 / 10 + 1 / 90))


def test_the_order_of_the_days_does_not_matter():
    profiles = [profile_of(normal(seed, rows)) for seed, rows in ((1, 10), (2, 33), (3, 500))]
    merged = [merge_profiles(order) for order in itertools.permutations(profiles)]
    assert len({(reference.missing, reference.present, reference.rows) for reference in merged}) == 1
    for reference in merged[1:]:
        np.testing.assert_array_equal(reference.histogram.bins, merged[0].histogram.bins)
        np.testing.assert_allclose(reference.histogram.weights, merged[0].histogram.weights)


def test_few_texts_are_categories_and_many_are_not():
    assert merge_profiles([profile_of(["a", "b", None]), profile_of(["a"])]).is_of_categories
    assert not merge_profiles([profile_of([f"name {number}" for number in range(500)])]).is_of_categories
    assert not merge_profiles([profile_of([None], pa.string())]).is_of_categories
    # Each day has its own names, so the most frequent ones of a day are not those of the next.
    assert not merge_profiles(
        [profile_of([f"{day} {number}" for number in range(90)]) for day in range(9)]
    ).is_of_categories


def test_texts_beyond_ascii_and_broken_ones_are_shares():
    merged = merge_profiles(
        [profile_of(["é", "e"]), profile_of(["\ufffd", "é", "e", "e"]), profile_of([None], pa.string())]
    )
    assert merged.non_ascii == pytest.approx(0.5)
    assert merged.broken == pytest.approx(0.25)
    assert merged.missing == pytest.approx(1 / 3)
