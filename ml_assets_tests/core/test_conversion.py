"""Values are read as the type of the spec, and what cannot be read is kept as text."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from ml_assets.core.conversion import convert

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "to", "expected", "texts"),
    [
        (["1", "+2", " 3 ", "4.0", "", None], "integer", [1, 2, 3, 4, None, None], None),
        (["1.5", "x", "1e3", "99999999999999999999"], "integer", [None] * 4, ["1.5", "x", "1e3", "99999999999999999999"]),
        ([1.0, 2.5, float("nan")], "integer", [1, None, None], [None, "2.5", None]),
        ([True, False], "integer", [1, 0], None),
        ([9007199254740993], "integer", [9007199254740993], None),
        (["1.5", "-2e3", ".5", "inf", "nan", "1,5"], "number", [1.5, -2000.0, 0.5, None, None, None], [None, None, None, "inf", "nan", "1,5"]),
        ([float("inf"), 1.0], "number", [None, 1.0], ["inf", None]),
        ([1, 2], "number", [1.0, 2.0], None),
        (["a", " b ", ""], "string", ["a", "b", None], None),
        ([7], "string", ["7"], None),
        (["TRUE", "0", "yes"], "boolean", [True, False, None], [None, None, "yes"]),
        ([1, 0, 2], "boolean", [True, False, None], [None, None, "2"]),
        (["2025-01-01 12:00:00", "2025-01-01T14:00:00+02:00", "2025-01-01T12:00:00Z"], "timestamp", [NOON] * 3, None),
        (["noon", "2025-02-30"], "timestamp", [None, None], ["noon", "2025-02-30"]),
        ([date(2025, 1, 1)], "timestamp", [datetime(2025, 1, 1, tzinfo=UTC)], None),
        ([1735732800], "timestamp", [None], ["1735732800"]),
    ],
)
def test_values_are_read_or_kept_as_text(values, to, expected, texts):
    converted, unreadable = convert(pa.chunked_array([pa.array(values)]), to, "UTC")
    assert converted.to_pylist() == expected
    assert (unreadable.to_pylist() if unreadable is not None else None) == texts


def test_times_without_zone_are_read_in_the_zone_of_the_source():
    # Clocks in Brussels went from 02:00 to 03:00 on 30 March, and from 03:00 back to 02:00 on 26 October 2025.
    local = pa.array(["2025-07-01 12:00:00", "2025-03-30 02:30:00", "2025-10-26 02:30:00"])
    converted, unreadable = convert(pa.chunked_array([local]), "timestamp", "Europe/Brussels")
    assert converted.to_pylist() == [datetime(2025, 7, 1, 10, tzinfo=UTC), None, datetime(2025, 10, 26, 0, 30, tzinfo=UTC)]
    assert unreadable is not None
    assert unreadable.to_pylist() == [None, "2025-03-30 02:30:00", None]


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("ms", "America/New_York"), pa.date32()])
def test_arrow_times_become_microseconds_utc(kind):
    converted, unreadable = convert(
        pa.chunked_array([pa.array([0], pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)]), "timestamp", "UTC"
    )
    assert converted.to_pylist() == [datetime(1970, 1, 1, tzinfo=UTC)]
    assert unreadable is None
