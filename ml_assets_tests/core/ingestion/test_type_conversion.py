"""Values are converted to the type of the spec, and unreadable values are kept as text."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_assets.core.ingestion.type_conversion import convert

pytestmark = pytest.mark.clock

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "to", "expected", "texts"),
    [
        (["1", "+2", " 3 ", "4.0", "", None], "integer", [1, 2, 3, 4, None, None], None),
        (
            ["1.5", "x", "1e3", "99999999999999999999"],
            "integer",
            [None] * 4,
            ["1.5", "x", "1e3", "99999999999999999999"],
        ),
        ([1.0, 2.5, float("nan")], "integer", [1, None, None], [None, "2.5", None]),
        ([True, False], "integer", [1, 0], None),
        (["true", "FALSE", "yes"], "integer", [1, 0, None], [None, None, "yes"]),
        (
            pa.array([2**63 - 1, 2**63, 2**64 - 1], pa.uint64()),
            "integer",
            [2**63 - 1, None, None],
            [None, str(2**63), str(2**64 - 1)],
        ),
        (
            ["9223372036854775807", "+9223372036854775807.0", "00000000000000000000012"],
            "integer",
            [2**63 - 1, 2**63 - 1, 12],
            None,
        ),
        (["-9223372036854775808", "-0", "1000000000000000000"], "integer", [-(2**63), 0, 10**18], None),
        (
            ["9223372036854775808", "-9223372036854775809"],
            "integer",
            [None] * 2,
            ["9223372036854775808", "-9223372036854775809"],
        ),
        ([Decimal("9007199254740993.00"), Decimal("1.50")], "integer", [9007199254740993, None], [None, "1.50"]),
        (
            [Decimal("9223372036854775807"), Decimal("9223372036854775808")],
            "integer",
            [2**63 - 1, None],
            [None, "9223372036854775808"],
        ),
        ([Decimal("12345678901234567890.10"), None], "string", ["12345678901234567890.10", None], None),
        ([Decimal("1.25"), None], "number", [1.25, None], None),
        ([Decimal("1"), Decimal("0"), Decimal("2")], "boolean", [True, False, None], [None, None, "2"]),
        ([9007199254740993], "integer", [9007199254740993], None),
        (
            ["1.5", "-2e3", ".5", "inf", "nan", "1,5"],
            "number",
            [1.5, -2000.0, 0.5, None, None, None],
            [None, None, None, "inf", "nan", "1,5"],
        ),
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
    assert converted.to_pylist() == [
        datetime(2025, 7, 1, 10, tzinfo=UTC),
        None,
        datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    ]
    assert unreadable is not None
    assert unreadable.to_pylist() == [None, "2025-03-30 02:30:00", None]


def test_time_zones_are_recognised_in_every_notation():
    forms = [
        "2025-01-01 14:00:00 +02",
        "2025-01-01T14+2",
        "20250101T140000+0200",
        "2025-01-01T14-0:00",
        "2025-01-01 12:00Z",
        "2025-01",
    ]
    converted, _ = convert(pa.chunked_array([pa.array(forms)]), "timestamp", "Europe/Brussels")
    midnight = datetime(2024, 12, 31, 23, tzinfo=UTC)
    assert converted.to_pylist() == [NOON, NOON, NOON, datetime(2025, 1, 1, 14, tzinfo=UTC), NOON, midnight]


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("ms", "America/New_York"), pa.date32()])
def test_arrow_times_become_microseconds_utc(kind):
    converted, unreadable = convert(
        pa.chunked_array([pa.array([0], pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)]),
        "timestamp",
        "UTC",
    )
    assert converted.to_pylist() == [datetime(1970, 1, 1, tzinfo=UTC)]
    assert unreadable is None


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
@settings(max_examples=50, deadline=None)
def test_every_integer_survives_as_text(values):
    converted, unreadable = convert(
        pa.chunked_array([pa.array([str(value) for value in values], pa.string())]), "integer", "UTC"
    )
    assert converted.to_pylist() == values
    assert unreadable is None


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_time_that_overflows_microseconds_is_refused(zone):
    with pytest.raises(pa.ArrowInvalid):
        convert(pa.chunked_array([pa.array([2**62], pa.timestamp("s", zone))]), "timestamp", "UTC")
