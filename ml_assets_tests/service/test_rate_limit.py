"""A client may ask as often as the rate allows, whoever else asks, and is told when to come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.service import rate_limit as rate
from ml_assets.service.rate_limit import RateLimit


def test_twice_the_rate_at_once_and_then_the_rate():
    limit = RateLimit(2)
    assert [limit.seconds_to_wait("a", 0.0) for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert limit.seconds_to_wait("b", 0.0) == 0
    assert limit.seconds_to_wait("a", 0.25) == 0.25
    assert limit.seconds_to_wait("a", 0.5) == 0
    assert limit.seconds_to_wait("a", 0.5) == 0.5


def test_a_rate_below_one_lets_one_pass():
    limit = RateLimit(0.1)
    assert [limit.seconds_to_wait("a", at) for at in (0.0, 1.0, 10.0)] == [0, 9.0, 0]


@given(rate=st.floats(0.5, 50), gaps=st.lists(st.floats(0, 3), max_size=60))
def test_in_the_long_run_nobody_gets_more_than_the_rate_and_whoever_waits_gets_through(rate, gaps):
    limit, now, passed = RateLimit(rate), 0.0, 0
    for gap in gaps:
        now += gap
        wait = limit.seconds_to_wait("a", now)
        passed += wait == 0
        if wait:
            now += wait * 1.000001
            assert limit.seconds_to_wait("a", now) == 0
            passed += 1
        assert passed <= max(2 * rate, 1) + rate * now + 1e-6


def test_clients_are_forgotten_and_not_gathered_without_end(monkeypatch):
    monkeypatch.setattr(rate, "MOST_CLIENTS", 3)
    limit = RateLimit(0.5)
    assert [limit.seconds_to_wait(name, 0.0) for name in "abcd"] == [0, 0, 0, 0]
    assert limit.seconds_to_wait("d", 0.0) == 2.0
    assert limit.seconds_to_wait("a", 0.0) == 0
    assert len(limit._buckets) == 3


@pytest.mark.parametrize("per_second", [0, -1, float("nan")])
def test_a_rate_that_lets_nobody_ask_is_refused(per_second):
    with pytest.raises(ValueError, match="lets nobody ask"):
        RateLimit(per_second)
