"""Outlier days are excluded from a reference, whatever makes them outliers."""

import itertools

import pyarrow as pa
import pytest

from ml_assets.core.profiling.reference_outliers import exclude_outlier_days
from ml_assets_tests.core.profiling.profile_cases import normal, profile_of

GOOD = [profile_of(normal(seed)) for seed in range(6)]
TEXTS = ["food"] * 60 + ["fuel"] * 30 + ["travel"] * 10


@pytest.mark.parametrize(
    "outlier",
    [
        profile_of(normal(9) * 100),
        profile_of(normal(9) / 100),
        profile_of([1.0] * 1000),
        profile_of([*([None] * 600), *normal(9)[:400]]),
        profile_of([None] * 500, pa.float64()),
    ],
)
def test_an_outlier_day_is_excluded(outlier):
    assert exclude_outlier_days([*GOOD[:3], outlier, *GOOD[3:]], 0.2) == GOOD


def test_a_day_with_outlier_texts_is_excluded():
    good = [profile_of(TEXTS * 5) for _ in range(4)]
    outlier = profile_of([text.upper() for text in TEXTS * 5])
    assert exclude_outlier_days([outlier, *good], 0.2) == good


def test_good_days_all_stay():
    assert exclude_outlier_days(GOOD, 0.2) == GOOD
    assert exclude_outlier_days([profile_of(TEXTS), profile_of(TEXTS[::-1])], 0.05)


def test_days_with_new_names_each_day_are_not_outliers():
    days = [profile_of([f"{day} {number:03}" for number in range(500)]) for day in range(3)]
    assert exclude_outlier_days(days, 0.2) == days


def test_days_that_disagree_leave_no_reference():
    assert exclude_outlier_days([GOOD[0], profile_of(normal(9) * 100)], 0.2) == []
    assert exclude_outlier_days([], 0.2) == []


def test_the_order_of_the_days_does_not_matter():
    outlier = profile_of(normal(9) * 3)
    for order in itertools.permutations([*GOOD[:3], outlier]):
        assert outlier not in exclude_outlier_days(order, 0.2)
        assert len(exclude_outlier_days(order, 0.2)) == 3


def test_days_with_few_rows_may_differ_by_chance():
    few = [profile_of(normal(seed)[:10]) for seed in range(5)]
    assert len(exclude_outlier_days(few, 0.05)) >= 4
