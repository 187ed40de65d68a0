"""Boundaries of a day in a time zone, including zones whose clocks change at midnight."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd


def beginning_of_day(day: date, time_zone: str) -> pd.Timestamp:
    """Return the first instant of a day: midnight, the first of two midnights, or the end of the gap if the zone skips
    midnight.

    Args:
        day: the date on the clocks of the zone.
        time_zone: IANA name of the zone.

    Returns:
        The instant in UTC, in microseconds.
    """
    begins = pd.DatetimeIndex([day]).tz_localize(
        ZoneInfo(time_zone), ambiguous=np.array([True]), nonexistent="shift_forward"
    )
    return begins.tz_convert("UTC").as_unit("us")[0]
