"""Times without a zone become instants by one rule, one by one and all together."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ml_assets.core.tables.local_time import EPOCH, NO_TIME, to_instant, to_instants, to_local

MICROSECOND = timedelta(microseconds=1)
ZONES = ["UTC", "Europe/Brussels", "America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Kathmandu"]


@pytest.mark.parametrize("zone", ZONES)
@given(st.lists(st.datetimes() | st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)), max_size=8))
@example([datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)])
@example([datetime(2060, 7, 1), datetime(2025, 3, 30, 2, 30), datetime(2025, 10, 26, 2, 30)])
def test_one_rule_for_one_time_and_for_many(zone, times):
    expected = [to_instant(time, ZoneInfo(zone)) for time in times]
    numbers = to_instants(np.array([(time - EPOCH) // MICROSECOND for time in times], np.int64), zone)
    assert [None if n == NO_TIME else EPOCH.replace(tzinfo=UTC) + int(n) * MICROSECOND for n in numbers] == expected


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        (datetime(2060, 7, 1, 12), datetime(2060, 7, 1, 10, tzinfo=UTC)),
        (datetime(2025, 3, 30, 2, 30), None),
        (datetime(2025, 10, 26, 2, 30), datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        (datetime(1, 1, 1), None),
        (datetime(9999, 12, 31, 23, 59, 59), datetime(9999, 12, 31, 22, 59, 59, tzinfo=UTC)),
    ],
)
def test_clocks_of_brussels(local, instant):
    assert to_instant(local, ZoneInfo("Europe/Brussels")) == instant


@pytest.mark.parametrize("zone", ZONES)
@given(
    st.lists(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)) | st.datetimes(datetime(2020, 1, 1)), max_size=8)
)
@example([datetime(2025, 3, 30, 0, 59), datetime(2025, 3, 30, 1), datetime(2026, 4, 4, 15, 30), datetime(1879, 12, 31)])
def test_the_clocks_of_a_zone_at_an_instant(zone, instants):
    instants = [instant for instant in instants if instant < datetime(9999, 12, 29)]
    local = to_local(np.array([(instant - EPOCH) // MICROSECOND for instant in instants], np.int64), zone)
    expected = [instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for instant in instants]
    assert [EPOCH + int(number) * MICROSECOND for number in local] == expected


@pytest.mark.parametrize("zone", ZONES)
def test_the_clocks_of_a_zone_at_the_ends_of_the_years(zone):
    ends = np.array([(end - EPOCH) // MICROSECOND for end in (datetime.min, datetime.max)])
    assert (np.abs(to_local(ends, zone) - ends) < 24 * 3_600_000_000).all()
