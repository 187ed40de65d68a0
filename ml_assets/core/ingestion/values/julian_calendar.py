"""Days and times written in the Julian calendar, as Spark 2 wrote all dates before 1582-10-15."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_FIRST_GREGORIAN_DAY = int(np.datetime64("1582-10-15", "D").astype(np.int64))
_JULIAN_DAY_OF_1970 = 2_440_588


def to_gregorian(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return, for each day or time before 1582-10-15, the same date in the Gregorian calendar.

    Columns of types other than date32 and timestamp are not changed. Times are converted by their UTC day.
    """
    kind = column.type
    if not (pa.types.is_date32(kind) or pa.types.is_timestamp(kind)):
        return column
    per_day = 1 if pa.types.is_date32(kind) else 86_400 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    storage = pa.int32() if pa.types.is_date32(kind) else pa.int64()
    numbers = pc.fill_null(column.cast(storage), 0).to_numpy().astype(np.int64)
    days = numbers // per_day
    # The formula is valid from 4800 BC on.
    is_julian = (days < _FIRST_GREGORIAN_DAY) & (days > -_JULIAN_DAY_OF_1970)
    if not is_julian.any():
        return column
    numbers[is_julian] += (_same_date(days[is_julian]) - days[is_julian]) * per_day
    missing = column.is_null().to_numpy()
    return pa.chunked_array([pa.array(numbers, pa.int64(), mask=missing).cast(storage).cast(kind)])


def _same_date(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Convert days since 1970 of Julian dates to those of the Gregorian dates with the same name.

    The algorithm for the date of a Julian day number is from E. G. Richards, Calendars (2013), chapter 15.
    """
    shifted = days + _JULIAN_DAY_OF_1970 + 32_082
    cycle = (4 * shifted + 3) // 1461
    day_of_year = shifted - 1461 * cycle // 4
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 - 12 * (month_from_march // 10)
    year = cycle - 4800 + month_from_march // 10
    months = (year - 1970) * 12 + month - 1
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
