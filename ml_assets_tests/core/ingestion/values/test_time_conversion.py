"""Times of the years 1 to 9999 are read alike from every type, and others cannot be read."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.values.type_conversion import convert
from ml_assets.core.tables.local_time import EPOCH, to_instant


def read(values: pa.Array, zone: str = "UTC") -> tuple[list, list]:
    converted, texts = convert(pa.chunked_array([values]), "timestamp", zone)
    return converted.to_pylist(), [None] * len(values) if texts is None else texts.to_pylist()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Brussels", "Australia/Lord_Howe"])
@given(st.lists(st.datetimes() | st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)), min_size=1, max_size=8))
def test_a_local_time_is_read_alike_from_text_and_timestamps(zone, times):
    expected = [to_instant(time, ZoneInfo(zone)) for time in times]
    for values in (pa.array(times, pa.timestamp("us")), pa.array([time.isoformat(" ") for time in times])):
        assert read(values, zone)[0] == expected


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_every_unit_holds_the_same_years(unit, zone):
    ends = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
    per_second = {"s": 1, "ms": 10**3, "us": 10**6}[unit]
    seconds = [int((end.replace(tzinfo=None) - EPOCH).total_seconds()) for end in ends]
    inside = pa.array([second * per_second for second in seconds], pa.timestamp(unit, zone))
    assert read(inside) == (ends, [None, None])
    beyond = [seconds[0] * per_second - 1, (seconds[1] + 1) * per_second, 2**62, -(2**63)]
    assert read(pa.array(beyond, pa.timestamp(unit, zone)), "Europe/Brussels") == (
        [None] * 4,
        [f"{number} {unit} since 1970-01-01" for number in beyond],
    )


def test_days_outside_the_years_cannot_be_read():
    days = pa.array([2**31 - 1, -(2**31), 0], pa.int32()).cast(pa.date32())
    assert read(days)[0] == [None, None, datetime(1970, 1, 1, tzinfo=UTC)]
    milliseconds = pa.array([2**62, 0], pa.int64()).cast(pa.date64())
    assert read(milliseconds)[0] == [None, datetime(1970, 1, 1, tzinfo=UTC)]
    assert read(pa.array([date(9999, 12, 31)]))[0] == [datetime(9999, 12, 31, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("9999-12-31", datetime(9999, 12, 31, tzinfo=UTC)),
        ("99991231", datetime(9999, 12, 31, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("1600-02-29 12:00:00+02:00", datetime(1600, 2, 29, 10, tzinfo=UTC)),
        ("1900-02-29", None),
        ("2262-04-12 00:00:00", datetime(2262, 4, 12, tzinfo=UTC)),
        ("1969-12-31T23:59:59.9999999Z", datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
        ("0001-01-01T00:00:00+00:01", None),
        ("9999-12-31T23:59:59-00:01", None),
        ("0000-12-31", None),
        ("0930", None),
        ("10000-01-01", None),
    ],
)
def test_text_of_every_year(text, instant):
    assert read(pa.array([text])) == ([instant], [None if instant else text])


def test_fractions_of_a_microsecond_are_cut_off_in_every_type():
    assert read(pa.array([-1, 1999], pa.timestamp("ns")))[0] == [
        datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(1970, 1, 1, 0, 0, 0, 1, UTC),
    ]


def test_words_and_incomplete_shifts_are_not_times():
    texts = ["now", "today", "2025-01-01T10:30:00+01:0", "2025-01-01 10-01:0", "NaT"]
    for zone in ("UTC", "Europe/Brussels"):
        assert read(pa.array(texts), zone) == ([None] * 5, texts)
        assert read(pa.array([*texts, "2025-01-01 10:30"]), "UTC")[0][-1] == datetime(2025, 1, 1, 10, 30, tzinfo=UTC)
        for text in texts:
            assert read(pa.array([text]), zone) == ([None], [text])


@pytest.mark.parametrize("text", ["2025-1-2 3:04", "2025/01/02 03:04:00", "2025.01.02 03:04", "20250102T0304"])
def test_other_notations_without_a_zone(text):
    assert read(pa.array([text]))[0] == [datetime(2025, 1, 2, 3, 4, tzinfo=UTC)]
