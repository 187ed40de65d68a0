"""A row count far from earlier weeks fails, unless chance or the calendar explains it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.checks.volume import evaluate_gaps, evaluate_row_count
from ml_assets.core.model_spec.checks.data_checks import GapsCheck, RowCountCheck

# A Saturday.
DAY = date(2025, 3, 1)


def before(*counts: int) -> dict[date, int]:
    """Counts of the days before, the last one of the day before."""
    return {DAY - timedelta(days=len(counts) - n): count for n, count in enumerate(counts) if count}


def weeks(weekday: int = 10_000, weekend: int = 2_000, length: int = 28) -> dict[date, int]:
    return {
        day: weekend if day.weekday() >= 5 else weekday
        for day in (DAY - timedelta(days=back) for back in range(1, length + 1))
    }


@pytest.mark.parametrize(
    ("count", "passed"),
    [(2_000, True), (1_250, True), (3_300, True), (1_190, False), (3_350, False), (200, False), (10_000, False)],
)
def test_a_day_is_compared_with_the_same_weekday(count, passed):
    outcome = evaluate_row_count(RowCountCheck(), weeks() | {DAY: count}, DAY)
    assert outcome.passed is passed
    assert f"{count:,} rows" in outcome.reason
    assert "the median of the 4 Saturdays from 2025-02-01 to 2025-02-22 is 2,000" in outcome.reason


def test_the_settings_define_tolerance_and_severity():
    counts = weeks() | {DAY: 1_250}
    strict = RowCountCheck(tolerance=0.1, severity="warn")
    assert (evaluate_row_count(strict, counts, DAY).failed, evaluate_row_count(strict, counts, DAY).severity) == (
        True,
        "warn",
    )


def test_one_outlier_week_does_not_change_the_expected_count():
    assert evaluate_row_count(RowCountCheck(), weeks() | {DAY - timedelta(days=7): 60, DAY: 2_000}, DAY).passed


def test_with_one_day_of_the_same_weekday_all_days_are_the_reference():
    outcome = evaluate_row_count(RowCountCheck(), weeks(1_000, 1_000, 8) | {DAY: 100}, DAY)
    assert outcome.failed
    assert "8 days from 2025-02-21 to 2025-02-28" in outcome.reason


@pytest.mark.parametrize(("count", "passed"), [(2_000, True), (900, False), (10_000, True), (20_000, False)])
def test_a_day_like_the_only_one_of_its_weekday_passes(count, passed):
    outcome = evaluate_row_count(RowCountCheck(), weeks(length=9) | {DAY: count}, DAY)
    assert outcome.passed is passed
    assert ("the Saturday before, 2025-02-22, has 2,000" in outcome.reason) is (count == 2_000)


@pytest.mark.parametrize(
    ("week_before", "passing"), [(50, (7_000, 10_000, 14_000)), (2_000, (5_000, 10_000)), (10_000, (7_000, 10_000))]
)
def test_a_holiday_among_two_days_of_the_weekday_fails_no_normal_day(week_before, passing):
    monday = DAY + timedelta(days=2)
    weekend = {DAY: 2_000, DAY + timedelta(days=1): 2_000}
    counts = weeks(length=14) | weekend | {monday - timedelta(days=7): week_before}
    for rows in (*passing, 30, 30_000):
        outcome = evaluate_row_count(RowCountCheck(), counts | {monday: rows}, monday)
        assert outcome.passed is (rows in passing), outcome.reason


def test_two_alike_days_of_the_weekday_are_the_only_reference():
    counts = weeks(length=14) | {DAY: 10_000}
    assert evaluate_row_count(RowCountCheck(), counts, DAY).failed


@pytest.mark.parametrize("counts", [{}, before(100, 100), before(100, 0, 0, 100)])
def test_a_day_with_too_few_earlier_days_is_not_evaluated(counts):
    outcome = evaluate_row_count(RowCountCheck(), counts | {DAY: 5}, DAY)
    assert outcome.passed is None
    assert f"{len(counts)} of the 28 days before have accepted rows; 3 are needed" in outcome.reason


def test_a_rejected_or_missing_day_is_not_evaluated():
    outcome = evaluate_row_count(RowCountCheck(), weeks(), DAY)
    assert (outcome.passed, outcome.reason) == (None, "the day has no accepted rows")


@pytest.mark.parametrize(("count", "passed"), [(0, None), (1, True), (9, True), (21, True), (22, False)])
def test_a_difference_that_chance_explains_never_fails(count, passed):
    assert evaluate_row_count(RowCountCheck(), before(*[9] * 28) | {DAY: count}, DAY).passed is passed


@given(st.dictionaries(st.integers(-40, 40), st.integers(0, 10_000)), st.integers(1, 10_000), st.randoms())
def test_later_days_old_days_and_order_make_no_difference(counts, count, random):
    by_day = {DAY + timedelta(days=offset): rows for offset, rows in counts.items() if rows} | {DAY: count}
    items = list(by_day.items())
    random.shuffle(items)
    only_before = {day: rows for day, rows in items if timedelta(0) <= DAY - day <= timedelta(days=28)}
    assert evaluate_row_count(RowCountCheck(), dict(items), DAY) == evaluate_row_count(
        RowCountCheck(), only_before, DAY
    )


def test_days_without_rows_are_gaps_and_named():
    counts = weeks()
    for back in (3, 9):
        del counts[DAY - timedelta(days=back)]
    outcome = evaluate_gaps(GapsCheck.model_validate({"look_back": "28d"}), counts | {DAY: 10}, DAY, date(2024, 1, 1))
    assert (outcome.failed, outcome.severity) == (True, "warn")
    assert outcome.reason == (
        "2 of the 28 days from 2025-02-01 to 2025-02-28 have no accepted rows,"
        " the first 2025-02-20, the last 2025-02-26"
    )
    assert list(outcome.lines) == [{"day_without_rows": "2025-02-20"}, {"day_without_rows": "2025-02-26"}]


def test_whether_the_day_itself_has_rows_makes_no_difference():
    assert evaluate_gaps(GapsCheck(), weeks(), DAY, date(2024, 1, 1)).passed


@pytest.mark.parametrize(("start", "length"), [(DAY - timedelta(days=5), 28), (date(2024, 1, 1), 5)])
def test_days_before_the_source_or_its_first_rows_are_not_gaps(start, length):
    outcome = evaluate_gaps(GapsCheck(), weeks(length=length), DAY, start)
    assert outcome.passed
    assert "each of the 5 days from 2025-02-24" in outcome.reason


def test_the_first_day_is_not_evaluated():
    assert evaluate_gaps(GapsCheck(), {DAY: 100}, DAY, date(2024, 1, 1)).passed is None
    assert evaluate_gaps(GapsCheck(), {}, DAY, date(2024, 1, 1)).passed is None


def test_a_day_that_is_accepted_without_rows_is_not_a_gap():
    counts = weeks()
    gap = DAY - timedelta(days=3)
    del counts[gap]
    assert evaluate_gaps(GapsCheck(), counts, DAY, date(2024, 1, 1)).failed
    assert evaluate_gaps(GapsCheck(), counts, DAY, date(2024, 1, 1), [gap]).passed
