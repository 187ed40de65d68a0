"""Every day begins once, whatever the clocks do at midnight."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.tables.day_boundaries import beginning_of_day

pytestmark = pytest.mark.clock


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("UTC", date(2025, 1, 1), "2025-01-01T00:00Z"),
        ("Europe/Brussels", date(2025, 7, 1), "2025-06-30T22:00Z"),
        # Clocks go from 24:00 to 01:00: there is no midnight.
        ("America/Santiago", date(2025, 9, 7), "2025-09-07T04:00Z"),
        ("Africa/Cairo", date(2025, 4, 25), "2025-04-24T22:00Z"),
        # Clocks go from 01:00 back to 00:00: there are two midnights.
        ("America/Havana", date(2025, 11, 2), "2025-11-02T04:00Z"),
    ],
)
def test_a_day_begins_at_its_first_instant(zone, day, begins):
    assert beginning_of_day(day, zone) == pd.Timestamp(begins)


@given(
    st.dates(date(2000, 1, 1), date(2035, 1, 1)),
    st.sampled_from(["UTC", "America/Santiago", "Africa/Cairo", "America/Havana", "Asia/Beirut"]),
)
def test_days_follow_each_other_without_gaps_of_more_than_the_clock_change(day, zone):
    length = beginning_of_day(day + timedelta(days=1), zone) - beginning_of_day(day, zone)
    assert pd.Timedelta(hours=23) <= length <= pd.Timedelta(hours=25)
