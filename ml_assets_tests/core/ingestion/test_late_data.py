"""A day is closed some time after its end, and changes are described by file."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ml_assets.core.ingestion.late_data import closing_time, describe_changes, is_closed
from ml_assets.core.model_spec.labels import LateData

pytestmark = pytest.mark.clock

DAY = date(2025, 1, 1)
POLICY = LateData(open_for=timedelta(days=2))


def test_a_day_closes_when_it_has_been_over_for_the_time_it_stays_open():
    assert closing_time(POLICY, DAY, "UTC") == datetime(2025, 1, 4, tzinfo=UTC)
    assert not is_closed(POLICY, DAY, "UTC", datetime(2025, 1, 3, 23, 59, tzinfo=UTC))
    assert is_closed(POLICY, DAY, "UTC", datetime(2025, 1, 4, tzinfo=UTC))


def test_the_end_of_a_day_is_that_of_the_time_zone():
    assert closing_time(POLICY, DAY, "Asia/Tokyo") == datetime(2025, 1, 3, 15, tzinfo=UTC)


def test_a_reopened_day_is_never_closed():
    policy = LateData(open_for=timedelta(days=2), afterwards="refuse", reopened=[DAY])
    assert not is_closed(policy, DAY, "UTC", datetime(2026, 1, 1, tzinfo=UTC))
    assert is_closed(policy, DAY + timedelta(days=1), "UTC", datetime(2026, 1, 1, tzinfo=UTC))


def test_changes_are_named_by_kind_and_bounded():
    before = [["a", "1", 1], ["b", "1", 1], ["c", "1", 1]]
    assert describe_changes(before, [["a", "1", 1], ["b", "2", 1], ["d", "1", 1]]) == "rewritten b, new d, removed c"
    assert describe_changes(before, before) == "no file changed"
    assert describe_changes([], [[str(n), "1", 1] for n in range(8)]) == "new 0, 1, 2, 3, 4 and 3 more"
