"""Attempts wait longer each time, within bounds, and a bit longer by chance."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ml_assets.core.model_spec.retries import Retries, Retry


def test_the_reference_is_three_times_from_five_minutes_and_once_for_training():
    assert (Retries().ingestion.times, Retries().ingestion.delay) == (3, timedelta(minutes=5))
    assert Retries().training.times == 1


@pytest.mark.parametrize(("attempt", "minutes"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (10, 60)])
def test_an_attempt_waits_twice_as_long_as_the_one_before_up_to_the_longest(attempt, minutes):
    assert Retry().seconds_before(attempt, 0.0, attended=False) == 60 * minutes
    assert Retry().seconds_before(attempt, 0.0, attended=True) == minutes


@given(attempt=st.integers(1, 10), chance=st.floats(0, 1))
def test_chance_adds_up_to_a_quarter(attempt, chance):
    least = Retry().seconds_before(attempt, 0.0, attended=False)
    assert least <= Retry().seconds_before(attempt, chance, attended=False) <= 1.25 * least


def test_a_longest_delay_below_the_first_is_refused():
    with pytest.raises(ValidationError, match="longest_delay 1m is shorter than delay, 5m"):
        Retry.model_validate({"longest_delay": "1m"})
