"""Cron expressions as Dagster's schedules take them: checked when the spec loads, without the library that reads them."""

import re

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
    """The expression itself, when it is five fields of numbers, names (mon, jan), ranges, lists and steps, or a macro such as @daily.

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
                raise ValueError(f"{expression!r} is not a cron expression: {item!r} as {meaning} is not * or {first} to {last}{examples}")
    if fields[2] in ("30", "31") and fields[3] in ("2", "feb"):
        raise ValueError(f"{expression!r} never comes: February has no day {fields[2]}")
    return expression


def _is_valid(item: str, first: int, last: int, names: dict[str, int]) -> bool:
    found = _ITEM.fullmatch(item)
    if not found or (found[3] is not None and int(found[3]) == 0):
        return False
    values = [names.get(text, int(text) if text.isdigit() else -1) for text in found.groups()[:2] if text is not None]
    return all(first <= value <= last for value in values)
