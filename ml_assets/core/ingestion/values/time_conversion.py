"""Conversion of landed columns to instants of the years 1 to 9999."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml_assets.core.tables.local_time import FIRST, LAST, NO_TIME, to_instants
from ml_assets.core.tables.schemas import TIMESTAMP

_ZONE = r"[0-9][Tt ] *[0-9][0-9:.,]* *([Zz]|[+-][0-9]{1,2}(:?[0-9]{2})?)$"
# pandas would read "now" and "today" as the current time, and an offset such as +01:0 as a time zone.
_NO_ZONE = r"^[0-9][0-9./ -]*([Tt] *[0-9][0-9:.,]*|[0-9] +[0-9][0-9:.,]*)?$"
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_YEAR = re.compile("[0-9]{4}(?=-|[0-9]{4})")
_CALENDAR_YEARS, _CALENDAR_MICROSECONDS = 400, 146_097 * 86_400_000_000
"""The Gregorian calendar repeats every 400 years, which have 146,097 days."""
_FIRST_PARSED = 1800
"""pandas parses nanosecond times, which end in 2262; this year and the 399 after it represent all others."""


def to_timestamp(column: pa.Array, time_zone: str) -> pa.Array:
    """Convert dates, timestamps of any unit, and text in ISO 8601 to instants in UTC; null where that is impossible.

    Instants outside the years 1 to 9999 are null. A time without a zone is read by `local_time.to_instant`; fractions
    of a microsecond are cut off.

    Args:
        column: the landed column.
        time_zone: IANA name of the time zone of times without one.
    """
    kind = column.type
    if pa.types.is_date(kind):
        # Days of date32 as seconds and milliseconds of date64 fit in 64 bits.
        days = pa.types.is_date32(kind)
        column = pc.multiply(column.cast(pa.int32()).cast(pa.int64()), 86_400) if days else column.cast(pa.int64())
        kind = pa.timestamp("s" if days else "ms")
        column = column.cast(kind)
    if pa.types.is_timestamp(kind):
        instants = _microseconds(column)
        return _as_column(instants if kind.tz is not None else to_instants(instants, time_zone))
    if not pa.types.is_string(kind):
        return pa.nulls(len(column), TIMESTAMP)
    has_zone = pc.match_substring_regex(column, _ZONE)
    texts, centuries = _within_parsed_years(column)
    zoned = _parse(_only(has_zone, texts), utc=True)
    has_no_zone = pc.and_(pc.invert(has_zone), pc.match_substring_regex(column, _NO_ZONE))
    local = _parse(_only(has_no_zone, texts), utc=False)
    local = to_instants(_add_centuries(local, centuries), time_zone)
    zoned = _add_centuries(zoned, centuries)
    return _as_column(np.where(zoned != NO_TIME, zoned, local))


def describe_time(column: pa.Array) -> pa.Array | None:
    """Return the text of dates and timestamps that Arrow cannot print; None for columns of other types.

    Arrow prints the others as text in ISO 8601.
    """
    kind = column.type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date64(kind)):
        return None
    unit = kind.unit if pa.types.is_timestamp(kind) else "ms"
    numbers = column.cast(pa.int64()).to_pylist()
    return pa.array(
        [None if number is None else f"{number} {unit} since 1970-01-01" for number in numbers], pa.string()
    )


def _only(is_chosen: pa.Array, column: pa.Array) -> pa.Array:
    return pc.if_else(is_chosen, column, pa.scalar(None, column.type))


def _microseconds(column: pa.Array) -> NDArray[np.int64]:
    """Return whole microseconds since 1970, rounded down; NO_TIME for missing values and outside the years 1 to
    9999."""
    per_second = _PER_SECOND[column.type.unit]
    numbers = column.cast(pa.timestamp(column.type.unit)).cast(pa.int64())
    values = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    is_valid = pc.is_valid(numbers).to_numpy(zero_copy_only=False)
    first, last = FIRST * per_second // 10**6, LAST * per_second // 10**6
    # 64-bit nanoseconds end long before the year 9999.
    if per_second <= 10**6:
        is_valid &= (values >= first) & (values <= last)
    values = np.where(is_valid, values, 0)
    microseconds = values // 1000 if per_second == 10**9 else values * (10**6 // per_second)
    return np.where(is_valid, microseconds, NO_TIME)


def _as_column(instants: NDArray[np.int64]) -> pa.Array:
    return pa.array(instants, pa.int64(), mask=instants == NO_TIME).cast(TIMESTAMP)


def _within_parsed_years(column: pa.Array) -> tuple[pa.Array, NDArray[np.int64] | int]:
    """Replace the year of each text by one that pandas parses and that has the same calendar.

    Returns:
        (texts, centuries): the number of times that 400 years must be added to each; null for the year 0.
    """
    encoded = column.dictionary_encode()
    texts, shifts = [], []
    for text in encoded.dictionary.to_pylist():
        match = _YEAR.match(text)
        year = int(match[0]) if match else _FIRST_PARSED
        shift = (year - _FIRST_PARSED) // _CALENDAR_YEARS
        shifts.append(shift)
        texts.append(None if year == 0 else f"{year - shift * _CALENDAR_YEARS:04d}{text[4:]}" if shift else text)
    if not any(shifts):
        return column, 0
    codes = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)
    return pa.array(texts, pa.string()).take(encoded.indices), np.array(shifts, np.int64)[codes]


def _parse(texts: pa.Array, utc: bool) -> NDArray[np.int64]:
    import pandas as pd

    if texts.null_count == len(texts):
        return np.full(len(texts), NO_TIME)
    parsed = pd.DatetimeIndex(pd.to_datetime(texts.to_pandas(), errors="coerce", format="ISO8601", utc=utc))
    values, per_microsecond = parsed.as_unit("ns").asi8, 1000
    return np.where(parsed.isna(), NO_TIME, values // per_microsecond)


def _add_centuries(instants: NDArray[np.int64], centuries: NDArray[np.int64] | int) -> NDArray[np.int64]:
    exists = instants != NO_TIME
    moved = np.where(exists, instants, 0) + centuries * _CALENDAR_MICROSECONDS
    return np.where(exists & (moved >= FIRST) & (moved <= LAST), moved, NO_TIME)
