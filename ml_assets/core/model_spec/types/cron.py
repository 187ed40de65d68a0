"""Cron expressions as Dagster's schedules take them: checked when the spec loads, without the library that reads
them.
"""

import re
from datetime import timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MACROS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_FIELDS = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of the week", 0, 7, {name: number for number, name in enumerate(_WEEKDAYS)}),
)
_ITEM = re.compile(r"(?:\*|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/([0-9]+))?")


def check_cron(expression: str) -> str:
    """The expression itself, when it is five fields of numbers, names (mon, jan), ranges, lists and steps, or a macro
    such as @daily.

    Raises:
        ValueError: naming the field of the expression that is wrong.
    """
    text = expression.strip().lower()
    if text in _MACROS:
        return expression
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"{expression!r} is not a cron expression: write minute, hour, day of the month, month and day of the week, such as '0 2 * * *', "
            f"or one of {', '.join(_MACROS)}"
        )
    for field, (meaning, first, last, names) in zip(fields, _FIELDS, strict=True):
        for item in field.split(","):
            if not _is_valid(item, first, last, names):
                examples = f" or {next(iter(names))}, ..." if names else ""
                raise ValueError(
                    f"{expression!r} is not a cron expression: {item!r} as {meaning} is not * or {first} to {last}{examples}"
                )
    if fields[2] in ("30", "31") and fields[3] in ("2", "feb"):
        raise ValueError(f"{expression!r} never comes: February has no day {fields[2]}")
    return expression


def shortest_interval(expression: str) -> timedelta:
    """The shortest time between two times of the day of a checked expression, from one day to the next as well; 24
    hours at most.

    Its days are not looked at: on fewer days the times lie no closer together.
    """
    text = expression.strip().lower()
    if text in _MACROS:
        return timedelta(hours=1 if text == "@hourly" else 24)
    minutes, hours = (
        _values(field, first, last) for field, (_, first, last, _) in zip(text.split()[:2], _FIELDS, strict=False)
    )
    times = sorted(60 * hour + minute for hour in hours for minute in minutes)
    return timedelta(
        minutes=min(later - earlier for earlier, later in zip(times, [*times[1:], times[0] + 24 * 60], strict=True))
    )


def _values(field: str, first: int, last: int) -> set[int]:
    """The numbers that a field of numbers stands for; a range whose end lies before its beginning goes on from the
    first number.
    """
    found: set[int] = set()
    for item in field.split(","):
        parts = _ITEM.fullmatch(item)
        assert parts is not None
        begin = first if parts[1] is None else int(parts[1])
        end = int(parts[2]) if parts[2] is not None else last if parts[1] is None or parts[3] is not None else begin
        every = list(range(begin, end + 1)) if begin <= end else [*range(begin, last + 1), *range(first, end + 1)]
        found |= set(every[:: int(parts[3] or 1)])
    return found


def _is_valid(item: str, first: int, last: int, names: dict[str, int]) -> bool:
    found = _ITEM.fullmatch(item)
    if not found or (found[3] is not None and int(found[3]) == 0):
        return False
    values = [names.get(text, int(text) if text.isdigit() else -1) for text in found.groups()[:2] if text is not None]
    return all(first <= value <= last for value in values)
