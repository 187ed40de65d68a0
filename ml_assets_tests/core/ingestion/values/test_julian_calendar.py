"""Days of the Julian calendar become those of the same name in the Gregorian one."""

from datetime import date, datetime

import pyarrow as pa
import pytest

from ml_assets.core.ingestion.values.julian_calendar import to_gregorian


@pytest.mark.parametrize(
    ("stored", "day"),
    [
        (-719_164, date(1, 1, 1)),
        (-141_428, date(1582, 10, 4)),
        (-141_427, date(1582, 10, 15)),
        (0, date(1970, 1, 1)),
        (None, None),
    ],
)
def test_the_day_keeps_its_name(stored, day):
    column = pa.chunked_array([pa.array([stored], pa.int32()).cast(pa.date32())])
    assert to_gregorian(column).to_pylist() == [day]


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_the_time_of_the_day_stays(unit):
    per_second = {"s": 1, "ms": 10**3, "us": 10**6}[unit]
    stored = pa.array([(-719_164 * 86_400 + 45_296) * per_second], pa.int64()).cast(pa.timestamp(unit))
    assert to_gregorian(pa.chunked_array([stored])).to_pylist() == [datetime(1, 1, 1, 12, 34, 56)]


def test_other_columns_stay():
    column = pa.chunked_array([pa.array(["0001-01-01"])])
    assert to_gregorian(column) is column
