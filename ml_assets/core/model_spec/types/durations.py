"""Durations as people write them in YAML: `7d`, `12h`, `30m`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_PATTERN = r"^[0-9]+(d|h|m)$"
LONGEST = timedelta(days=36500)
# For processes, retries and polls: a longer wait would look like a process that hangs.
LONGEST_WAIT = timedelta(days=30)


def parse_duration(value: object) -> timedelta:
    """Parse `7d`, `12h` or `30m`.

    Raises:
        ValueError: for anything else, with the accepted forms; for more than a hundred years, which would exceed the
            range of dates.
    """
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.fullmatch(_PATTERN, value):
        raise ValueError(f"{value!r} is not a duration; write days, hours or minutes as 7d, 12h or 30m")
    try:
        duration = timedelta(**{_UNITS[value[-1]]: int(value[:-1])})
    except (OverflowError, ValueError):
        duration = timedelta.max
    if duration > LONGEST:
        raise ValueError(f"{value[:30]} is too long; the longest duration is {LONGEST.days}d")
    return duration


def format_duration(value: timedelta) -> str:
    """Return the shortest form that `parse_duration` reads: 7 days is `7d`, 36 hours is `36h`."""
    minutes = int(value.total_seconds() // 60)
    for unit, size in (("d", 24 * 60), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def parse_interval(value: object) -> timedelta | str:
    """Parse an interval of whole days such as `7d`, or return a cron expression (five fields or a macro) unchanged.

    Raises:
        ValueError: for anything else, with the accepted forms.
    """
    if isinstance(value, str) and (len(value.split()) == 5 or re.fullmatch(r"@[a-z]+", value)):
        return value
    try:
        return _positive(_whole_days(parse_duration(value)))
    except ValueError as error:
        raise ValueError(f"{error}; or write a cron expression such as '0 2 * * 1'") from error


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than 0")
    return value


def _at_most_a_month(value: timedelta) -> timedelta:
    if value > LONGEST_WAIT:
        raise ValueError(f"{format_duration(value)} is too long; the longest wait is {LONGEST_WAIT.days}d")
    return value


def _whole_days(value: timedelta) -> timedelta:
    if value % timedelta(days=1):
        raise ValueError(f"{format_duration(value)} is not a whole number of days, and partitions are days")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["7d", "12h", "30m"]}),
]
Window = Annotated[Duration, AfterValidator(_positive)]
Days = Annotated[Duration, AfterValidator(_whole_days)]
PositiveDays = Annotated[Days, AfterValidator(_positive)]
Interval = Annotated[
    timedelta | str,
    BeforeValidator(parse_interval),
    PlainSerializer(lambda value: value if isinstance(value, str) else format_duration(value), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["7d", "0 2 * * 1", "@weekly"]}),
]
Wait = Annotated[Window, AfterValidator(_at_most_a_month)]
