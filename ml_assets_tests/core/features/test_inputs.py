from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from ml_assets.core.features.inputs import days_read
from ml_assets.core.features.point_in_time import build_features
from ml_assets_tests.core.features.feature_cases import frame, local_day, spec_with

pytestmark = pytest.mark.clock

HOURS = st.integers(1, 72).map(lambda hours: f"{hours}h")
DELAYS = st.sampled_from(["0d", "1h", "24h", "25h", "2d", "3d"])


def window(*windows: str, delay: str = "0d", **more: Any) -> dict[str, Any]:
    return {"kind": "window", "key": "card", "aggregates": ["count"], "windows": list(windows), "delay": delay, **more}


def last_rows(within: str, delay: str = "0d") -> dict[str, Any]:
    return {
        "kind": "window",
        "key": "card",
        "aggregates": ["count"],
        "last_rows": [3],
        "within": within,
        "delay": delay,
    }


def custom(reads: str) -> dict[str, Any]:
    return {"kind": "custom", "function": "math:sin", "outputs": ["x"], "reads": reads}


@pytest.mark.parametrize(
    ("features", "days"),
    [
        ([{"kind": "column", "columns": ["amount"]}], [0]),
        ([window("1d")], [0, 1]),
        ([window("1h")], [0, 1]),
        ([window("25h")], [0, 1, 2]),
        ([window("1d", delay="7d")], [0, 7, 8]),
        ([window("1h", delay="7d")], [0, 7, 8]),
        ([window("1d", delay="36h")], [0, 1, 2, 3]),
        ([window("12h", delay="12h")], [0, 1]),
        ([window("1d", "3d"), window("1d", delay="5d")], [0, 1, 2, 3, 5, 6]),
        ([last_rows("2d", delay="4d")], [0, 4, 5, 6]),
        ([custom("0d")], [0]),
        ([custom("30h")], [0, 1, 2]),
    ],
)
def test_days_read_are_exactly_those_that_features_see(features: list[dict[str, Any]], days: list[int]):
    assert days_read(spec_with(*features)) == days


@pytest.mark.parametrize(
    ("time_zone", "days"), [("Asia/Tokyo", [0, 7, 8]), ("Etc/GMT+5", [0, 7, 8]), ("Europe/Brussels", [0, 6, 7, 8, 9])]
)
def test_days_of_23_and_25_hours_add_a_day_where_the_clocks_change(time_zone: str, days: list[int]):
    assert days_read(spec_with(window("1d", delay="7d"), time_zone=time_zone)) == days


@pytest.mark.parametrize(("start", "changes"), [("2025-01-01", "2025-03-30"), ("2025-05-01", "2025-10-26")])
def test_a_source_that_ends_before_the_clocks_change_needs_no_further_day(start: str, changes: str):
    def days(end: pd.Timestamp) -> list[int]:
        source = {"files": "{day}.csv", "start": start, "end": end.date(), "time_zone": "Europe/Brussels"}
        return days_read(spec_with(window("1d", delay="2d"), source=source))

    assert days(pd.Timestamp(changes) - pd.Timedelta(days=1)) == [0, 2, 3]
    assert days(pd.Timestamp(changes)) == days(pd.Timestamp(changes) + pd.Timedelta(days=30)) == [0, 1, 2, 3, 4]


def day_begins(day: datetime, zone: ZoneInfo) -> datetime:
    return day.replace(tzinfo=zone).astimezone(UTC)


@given(HOURS, DELAYS, st.sampled_from(["UTC", "Europe/Brussels", "Australia/Lord_Howe", "America/St_Johns"]))
def test_the_days_are_exactly_those_that_some_day_of_a_year_sees(length: str, delay: str, time_zone: str):
    spec, zone, offsets = spec_with(window(length, delay=delay), time_zone=time_zone), ZoneInfo(time_zone), {0}
    reach, wait = spec.longest_reach(), pd.Timedelta(delay).to_pytimedelta()
    instant = timedelta(microseconds=1)
    for number in range(365):
        day = datetime(2025, 1, 1) + timedelta(days=number)
        oldest = local_day(day_begins(day, zone) - reach + instant, time_zone)
        newest = local_day(day_begins(day + timedelta(days=1), zone) - instant - wait, time_zone)
        offsets.update(range((day - newest).days, (day - oldest).days + 1))
    assert days_read(spec) == sorted(offsets)


@pytest.mark.parametrize(
    "feature", [window("1d", "30h"), window("1d", delay="3d"), window("2h", delay="36h"), last_rows("1d", delay="2d")]
)
def test_every_day_that_is_read_can_change_a_feature(feature: dict[str, Any]):
    spec = spec_with(feature)
    every_hour = [
        {"id": hour, "time": datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour)} for hour in range(8 * 24)
    ]
    table = frame(*every_hour)
    back = (datetime(2025, 1, 8, tzinfo=UTC) - table["time"].dt.normalize()).dt.days

    def without(day: int) -> pd.DataFrame:
        return build_features(spec, table[back == 0], table[(back > 0) & (back != day)])

    matters = [day for day in range(1, 8) if not without(day).equals(without(-1))]
    assert [0, *matters] == days_read(spec)


@given(st.lists(st.builds(lambda *args: (*args,), HOURS, DELAYS), min_size=1, max_size=3, unique=True))
def test_leaving_out_the_days_that_are_not_read_changes_nothing(windows: list[tuple[str, str]]):
    spec = spec_with(
        *[
            window(length, delay=delay, key=[], value="amount", aggregates=["sum"])
            for length, delay in {d: (w, d) for w, d in windows}.values()
        ]
    )
    table = frame(
        *[
            {"id": n, "time": datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=7 * n), "amount": n / 7}
            for n in range(35)
        ]
    )
    back = (table["time"].max().normalize() - table["time"].dt.normalize()).dt.days
    read = back.isin(days_read(spec))
    all_days = build_features(spec, table[back == 0], table[back > 0])
    assert_frame_equal(build_features(spec, table[back == 0], table[(back > 0) & read]), all_days, check_exact=True)
