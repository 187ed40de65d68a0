"""Each client has its own rate limit, and is told how long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.service import rate_limit
from ml_assets.service.rate_limit import RateLimit


def test_a_client_may_send_a_burst_of_twice_the_rate_and_then_the_rate():
    limit = RateLimit(2)
    assert [limit.seconds_to_wait("a", 0.0) for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert limit.seconds_to_wait("b", 0.0) == 0
    assert limit.seconds_to_wait("a", 0.25) == 0.25
    assert limit.seconds_to_wait("a", 0.5) == 0
    assert limit.seconds_to_wait("a", 0.5) == 0.5


def test_a_rate_below_one_allows_a_burst_of_one():
    limit = RateLimit(0.1)
    assert [limit.seconds_to_wait("a", at) for at in (0.0, 1.0, 10.0)] == [0, 9.0, 0]


@given(rate=st.floats(0.5, 50), gaps=st.lists(st.floats(0, 3), max_size=60))
def test_no_client_exceeds_the_rate_in_the_long_run_and_one_that_waits_is_accepted(rate, gaps):
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


def test_the_client_that_was_idle_longest_is_forgotten(monkeypatch):
    monkeypatch.setattr(rate_limit, "MAX_CLIENTS", 3)
    limit = RateLimit(0.5)
    assert [limit.seconds_to_wait(name, 0.0) for name in "abcd"] == [0, 0, 0, 0]
    assert limit.seconds_to_wait("d", 0.0) == 2.0
    assert limit.seconds_to_wait("a", 0.0) == 0
    assert len(limit._buckets) == 3


@pytest.mark.parametrize("per_second", [0, -1, float("nan")])
def test_a_rate_that_allows_no_request_is_refused(per_second):
    with pytest.raises(ValueError, match="allows no request"):
        RateLimit(per_second)
