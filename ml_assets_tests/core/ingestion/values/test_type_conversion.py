"""Values are converted to the type of the spec, and unreadable values are kept as text."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.values.type_conversion import convert

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
        (
            pa.array([1, 0, 2**64 - 1, None], pa.uint64()),
            "boolean",
            [True, False, None, None],
            [None, None, str(2**64 - 1), None],
        ),
        ([Decimal("1"), Decimal("0"), Decimal("2")], "boolean", [True, False, None], [None, None, "2"]),
        ([9007199254740993], "integer", [9007199254740993], None),
        (
            ["1.5", "-2e3", ".5", "inf", "nan", "1,5", "true"],
            "number",
            [1.5, -2000.0, 0.5, None, None, None, 1.0],
            [None, None, None, "inf", "nan", "1,5", None],
        ),
        ([float("inf"), 1.0], "number", [None, 1.0], ["inf", None]),
        ([1, 2], "number", [1.0, 2.0], None),
        (["a", " b ", ""], "string", ["a", "b", None], None),
        ([7], "string", ["7"], None),
        (["TRUE", "0", "yes", "1.0"], "boolean", [True, False, None, True], [None, None, "yes", None]),
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


def test_time_zones_are_recognized_in_every_notation():
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
def test_every_integer_survives_as_text(values):
    converted, unreadable = convert(
        pa.chunked_array([pa.array([str(value) for value in values], pa.string())]), "integer", "UTC"
    )
    assert converted.to_pylist() == values
    assert unreadable is None


def read_as_text(values: pa.Array) -> tuple[list, list]:
    converted, texts = convert(pa.chunked_array([values]), "string", "UTC")
    return converted.to_pylist(), [None] * len(values) if texts is None else texts.to_pylist()


@pytest.mark.parametrize(
    "kind",
    [
        pa.int64(),
        pa.uint32(),
        pa.float64(),
        pa.decimal128(38, 0),
        pa.decimal128(38, 10),
        pa.decimal256(60, 2),
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
        pa.dictionary(pa.int32(), pa.int64()),
        pa.dictionary(pa.int8(), pa.string()),
    ],
)
def test_a_whole_number_has_the_same_text_in_every_type(kind):
    keys = [0, 7, 123456, 20000000, 4294967295, None]
    is_text = pa.types.is_string(kind) or "binary" in str(kind) or "string" in str(kind)
    values = [None if key is None else str(key) if is_text else key for key in keys]
    if "binary" in str(kind):
        array = pa.array([value and value.encode() for value in values], kind)
    else:
        storage = kind.value_type if pa.types.is_dictionary(kind) else kind
        array = pa.array(
            [Decimal(value) if value is not None and pa.types.is_decimal(kind) else value for value in values], storage
        )
        array = array.dictionary_encode() if pa.types.is_dictionary(kind) else array.cast(kind)
    assert read_as_text(array) == ([None if key is None else str(key) for key in keys], [None] * len(keys))


@pytest.mark.parametrize(
    ("values", "texts", "unreadable"),
    [
        (pa.array([0.5, -0.0, 2.0**53 - 1, 2.0**53]), ["0.5", "0", "9007199254740991"], ["9.007199254740992e+15"]),
        (pa.array([0.1, 2.0**24 - 1, 2.0**24], pa.float32()), ["0.1", "16777215"], ["16777216"]),
        (pa.array([2.0**11], pa.float16()), [], ["2048"]),
        (pa.array([float("inf"), -float("inf"), float("nan")]), [], ["inf", "-inf", None]),
        (pa.array([Decimal("1.50"), Decimal("0.00"), Decimal("-7.00")]), ["1.50", "0", "-7"], []),
        (pa.array([Decimal(1).scaleb(-20), Decimal(0)], pa.decimal128(38, 22)), ["0.0000000000000000000100", "0"], []),
        (pa.array([Decimal("12E5")], pa.decimal128(7, -5)), ["1200000"], []),
        (pa.array([True, False]), ["true", "false"], []),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"], []),
        (pa.array([UUID(int=1).bytes], pa.uuid()), [str(UUID(int=1))], []),
        (pa.array([b"ab"], pa.binary(2)), ["ab"], []),
        (pa.array([b"\xff\x00"], pa.binary()), [], ["0xff00 (bytes that are not UTF-8 text)"]),
        (pa.array([b"a\x00"], pa.binary()), [], ["0x6100 (bytes that are not UTF-8 text)"]),
        (pa.array([b"M\xfcller", b"x"]).view(pa.string()), [None, "x"], ["M\\xfcller", None]),
        (pa.array(['{"a": 1}'], pa.json_()), ['{"a": 1}'], []),
        (pa.nulls(2), [None, None], []),
    ],
)  # fmt: skip
def test_parquet_values_as_text(values, texts, unreadable):
    missing = len(values) - len(texts)
    expected = [*([None] * (len(values) - len(unreadable))), *unreadable]
    assert read_as_text(values) == ([*texts, *([None] * missing)], expected)


@pytest.mark.parametrize("to", ["integer", "number", "boolean", "timestamp"])
def test_bytes_are_read_as_the_text_that_they_hold(to):
    text = {"timestamp": "2025-01-01T12:00:00Z"}.get(to, "1")
    from_text = convert(pa.chunked_array([pa.array([text])]), to, "UTC")[0]
    assert convert(pa.chunked_array([pa.array([text.encode()])]), to, "UTC")[0] == from_text
    assert from_text.null_count == 0
    assert convert(pa.chunked_array([pa.nulls(3)]), to, "UTC")[0].null_count == 3


def test_a_float_of_32_bits_that_stands_for_several_integers_is_not_an_integer():
    values = pa.array([16777215, 16777216], pa.float32())
    converted, texts = convert(pa.chunked_array([values]), "integer", "UTC")
    assert converted.to_pylist() == [16777215, None]
    assert texts is not None
