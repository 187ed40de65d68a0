"""Times of the type INT96 and of the Julian calendar are read as their writer means them."""

import io
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets.core.ingestion.parquet_reader import parse_parquet

NOON = datetime(2026, 1, 2, 12)


def written(values: list, kind: pa.DataType, metadata: dict[str, str] | None = None, **options) -> bytes:
    table = pa.table({"at": pa.array(values, kind)}).replace_schema_metadata(metadata)
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def int96(values: list, kind: pa.DataType | None = None, metadata: dict[str, str] | None = None, **options) -> bytes:
    return written(values, kind or pa.timestamp("us"), metadata, use_deprecated_int96_timestamps=True, **options)


def made_by(content: bytes, writer: str) -> bytes:
    """Replace the name of the program that made a file by another of the same length."""
    name = pq.ParquetFile(io.BytesIO(content)).metadata.created_by.encode()
    return content.replace(name, writer.ljust(len(name)).encode())


def zone_of(content: bytes) -> str | None:
    column = parse_parquet(content, ["at"]).table["at"]
    assert [value.replace(tzinfo=None) for value in column.to_pylist()] == [NOON]
    return column.type.tz


@pytest.mark.parametrize(
    ("content", "zone"),
    [
        (int96([NOON]), None),
        (int96([NOON], store_schema=False), "UTC"),
        (int96([NOON.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")), "UTC"),
        (int96([NOON], metadata={"org.apache.spark.version": "3.5.0"}), "UTC"),
        (int96([NOON], metadata={"writer.time.zone": "Europe/Brussels"}), "UTC"),
        (made_by(int96([NOON], store_schema=False), "parquet-mr version 1.10"), "UTC"),
        (made_by(int96([NOON], store_schema=False), "impala version 4.0"), None),
        (written([NOON], pa.timestamp("us"), {"org.apache.spark.version": "3.5.0"}), None),
    ],
)
def test_int96_holds_instants_where_its_writer_says_so(content, zone):
    assert zone_of(content) == zone


def test_int96_holds_the_years_1_to_9999():
    values = [datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(1, 1, 1), None, datetime(1816, 3, 30)]
    assert parse_parquet(int96(values), ["at"]).table["at"].to_pylist() == values


def test_an_int96_day_beyond_64_bits_is_unreadable():
    content = int96([NOON, NOON], use_dictionary=False, compression="none", store_schema=False)
    day = (2_440_588 + (NOON - datetime(1970, 1, 1)).days).to_bytes(4, "little")
    assert content.count(day) >= 2
    file = parse_parquet(content.replace(day, b"\xff\xff\xff\xff", 1), ["at"])
    assert file.table["at"].to_pylist() == [None, NOON.replace(tzinfo=UTC)]
    seconds = (2**32 - 1 - 2_440_588) * 86_400 + 43_200
    assert file.unreadable["at"].to_pylist() == [f"{seconds} s since 1970-01-01", None]


JULIAN = [date(1, 1, 1), date(1582, 10, 4), date(1500, 2, 28), date(1582, 10, 15), None]


def as_julian(day: date | None) -> date | None:
    """The day of the same name in the Julian calendar, as Spark 2 stored it."""
    shifts = {date(1582, 10, 4): 10, date(1500, 2, 28): 9}
    return day if day is None or day not in shifts else date.fromordinal(day.toordinal() + shifts[day])


@pytest.mark.parametrize(
    ("metadata", "is_julian"),
    [
        ({"org.apache.spark.version": "2.4.8"}, True),
        ({"org.apache.spark.version": "3.2.0", "org.apache.spark.legacyDateTime": ""}, True),
        ({"org.apache.spark.version": "3.2.0"}, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("ms", "UTC")])
def test_days_of_the_julian_calendar_keep_their_names(metadata, is_julian, kind):
    days = JULIAN[1:]
    stored = [as_julian(day) for day in days] if is_julian else days
    times = [day and datetime(day.year, day.month, day.day, 13, tzinfo=UTC) for day in stored]
    values = stored if kind == pa.date32() else times
    read = parse_parquet(written(values, kind, metadata), ["at"]).table["at"].to_pylist()
    assert [value and date(value.year, value.month, value.day) for value in read] == days
