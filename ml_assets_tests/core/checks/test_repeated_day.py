"""A day with the profiles of an earlier day fails, whatever its times and keys are."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.checks.repeated_day import LOOK_BACK, evaluate_repeated_day
from ml_assets_tests.core.profiling.profile_cases import DAY, days_before, normal, profile_of

IGNORED = {"id", "event_time"}


def columns(seed: int, **others):
    values = {"amount": normal(seed, rows=200), "card": [f"card-{number % 12}" for number in range(200)], **others}
    return {name: replace(profile_of(of_column), name=name) for name, of_column in values.items()}


def outcome(day, earlier, severity="error"):
    profiles = dict(zip(days_before(len(earlier)), earlier, strict=True))
    return evaluate_repeated_day(DAY, {DAY: day, **profiles} if day else profiles, IGNORED, severity)


def test_the_rows_of_an_earlier_day_are_recognized_whatever_their_keys_and_times_are():
    repeated = outcome(
        columns(1, id=range(200), event_time=range(7, 207)),
        [columns(2), columns(1, id=range(500, 700), event_time=range(200)), columns(1)],
        "warn",
    )
    first, second = days_before(3)[1:]
    assert repeated.failed
    assert repeated.severity == "warn"
    assert repeated.reason == (
        f"amount, card: count, mean, extremes and distribution are exactly those of {first}, whose rows have "
        "probably landed again under another date"
    )
    assert repeated.lines == [{"repeats": str(first)}, {"repeats": str(second)}]


def test_a_day_that_differs_in_one_row_passes():
    amount = normal(1, rows=200)
    amount[17] += 0.01
    assert outcome(columns(1, amount=amount), [columns(1)]).passed


def test_a_day_with_another_column_or_without_one_passes():
    fewer = {name: profile for name, profile in columns(1).items() if name != "card"}
    assert outcome(columns(1), [fewer]).passed


@pytest.mark.parametrize(
    ("day", "earlier", "reason"),
    [
        (None, [columns(1)], "the day has no accepted rows"),
        (columns(1), [], "none of the 28 days before has accepted rows"),
        (
            columns(1, amount=[5.0] * 200, card=["a", "b"] * 100),
            [columns(1, amount=[5.0] * 200, card=["a", "b"] * 100)],
            "no compared column has 10 distinct values, so days may be alike by chance",
        ),
    ],
)
def test_what_cannot_be_compared_is_not_evaluated(day, earlier, reason):
    result = outcome(day, earlier)
    assert (result.passed, result.reason) == (None, reason)


def test_days_further_back_are_not_compared():
    long_ago = {DAY: columns(1), DAY - timedelta(days=LOOK_BACK + 1): columns(1), DAY - timedelta(days=1): columns(2)}
    assert evaluate_repeated_day(DAY, long_ago, IGNORED, "error").passed


@given(st.permutations(range(200)))
def test_the_order_of_the_rows_makes_no_difference(order):
    values = normal(1, rows=200)
    again = columns(1, amount=values[list(order)])
    assert outcome(again, [columns(1, amount=values)]).failed
