"""Conversion between instants and local times, by the same rule for landed files and requests, in the years 1 to
9999."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

EPOCH = datetime(1970, 1, 1)
MICROSECONDS_PER_DAY = 86_400_000_000
_MICROSECOND, _HOUR = timedelta(microseconds=1), 3_600_000_000
FIRST = (datetime.min - EPOCH) // _MICROSECOND
LAST = (datetime.max - EPOCH) // _MICROSECOND
NO_TIME = np.iinfo(np.int64).min
"""Marker for a time that does not exist; it lies outside FIRST to LAST, the microseconds of the years 1 to 9999."""


def to_instant(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the instant of a local time, in UTC.

    For a repeated hour it is the first instant. None if the clocks skip the time, or its instant lies outside the years
    1 to 9999.
    """
    try:
        instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        exists = instant.astimezone(zone).replace(tzinfo=None, fold=0) == local
    except OverflowError:
        return None
    return instant if exists else None


def to_instants(local: NDArray[np.int64], time_zone: str) -> NDArray[np.int64]:
    """Return `to_instant` of each time, in microseconds since 1970; NO_TIME where there is none.

    Args:
        local: local times as microseconds since 1970-01-01 00:00, FIRST to LAST or NO_TIME.
        time_zone: IANA name of the zone.
    """
    if time_zone == "UTC":
        return local
    zone = ZoneInfo(time_zone)
    hours, positions = np.unique(local[local != NO_TIME] // _HOUR, return_inverse=True)
    # Zones change their clocks at most once an hour. An hour without a change has a single offset; in the few others,
    # each time is converted by itself.
    offsets = [_constant_offset(EPOCH + timedelta(hours=int(hour)), zone) for hour in hours]
    result = local.copy()
    exists = np.flatnonzero(local != NO_TIME)
    constant = np.array([offset or 0 for offset in offsets], np.int64)[positions]
    result[exists] -= constant
    changes = np.array([offset is None for offset in offsets], bool)[positions]
    for position in exists[changes]:
        instant = to_instant(EPOCH + timedelta(microseconds=int(local[position])), zone)
        result[position] = NO_TIME if instant is None else (instant.replace(tzinfo=None) - EPOCH) // _MICROSECOND
    result[(result < FIRST) | (result > LAST)] = NO_TIME
    return result


def _constant_offset(hour: datetime, zone: ZoneInfo) -> int | None:
    """Return the offset from UTC in microseconds throughout a local hour, or None if it changes."""
    ends = (hour, hour + (timedelta(hours=1) - _MICROSECOND))
    offsets = {end.replace(tzinfo=zone, fold=fold).utcoffset() for end in ends for fold in (0, 1)}
    offset = offsets.pop()
    return None if offsets or offset is None else offset // _MICROSECOND


def to_local(instants: NDArray[np.int64], time_zone: str) -> NDArray[np.int64]:
    """Convert instants to local times, as microseconds since 1970-01-01 00:00.

    The time may lie in the year 0 or 10,000, which Python and pandas do not have.

    Args:
        instants: microseconds since 1970 UTC, FIRST to LAST.
        time_zone: IANA name of the zone.
    """
    if time_zone == "UTC":
        return instants
    zone = ZoneInfo(time_zone)
    hours, positions = np.unique(instants // _HOUR, return_inverse=True)
    offsets = [{_offset_at(int(hour) * _HOUR, zone), _offset_at(int(hour) * _HOUR + _HOUR - 1, zone)} for hour in hours]
    result = instants + np.array([min(of_hour) for of_hour in offsets], np.int64)[positions]
    changes = np.array([len(of_hour) > 1 for of_hour in offsets], bool)[positions]
    for position in np.flatnonzero(changes):
        result[position] = instants[position] + _offset_at(int(instants[position]), zone)
    return result


def _offset_at(instant: int, zone: ZoneInfo) -> int:
    # No clock changes within two days of the ends of the years 1 to 9999.
    instant = min(max(instant, FIRST + 48 * _HOUR), LAST - 48 * _HOUR)
    offset = (EPOCH.replace(tzinfo=UTC) + instant * _MICROSECOND).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // _MICROSECOND
