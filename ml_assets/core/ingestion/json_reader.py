"""The reader of JSON values, which keeps numbers as the text in the file."""

import json
import re
from decimal import Decimal
from typing import NamedTuple

_SHORT_EXPONENT = re.compile(r".*[eE][+-]?[0-9]{1,2}")


class NumberLiteral(str):
    """The text of a number in JSON, which keeps digits that a float would lose."""


class ExponentLiteral(NumberLiteral):
    """The text of a number that is written with an exponent."""


class UnreadableText(NamedTuple):
    """The text of a value that no type can hold: an infinity, or a name that occurs twice with different values."""

    text: str


def loads(text: str) -> object:
    """Parse JSON with numbers as NumberLiteral, NaN as None, and UnreadableText for values that no type can hold.

    Raises:
        json.JSONDecodeError: when the text is not JSON.
    """
    return _DECODER.decode(text)


def decode_at(text: str, position: int) -> tuple[object, int]:
    """Parse the JSON value at a position of a text like `loads`; also return the position after it.

    Raises:
        json.JSONDecodeError: when there is no value.
    """
    return _DECODER.raw_decode(text, position)


def whole_digits(number: ExponentLiteral) -> str | None:
    """Return the digits of a whole number that is written with an exponent; None for other numbers.

    Java writes doubles of ten million or more in this way. Text with an exponent is not accepted as an integer, because
    spreadsheets shorten long numbers to this form and lose digits.
    """
    if not _SHORT_EXPONENT.fullmatch(number):
        return None
    value = Decimal(number)
    return f"{value:.0f}" if value == value.to_integral_value() else None


def json_text(value: object) -> str | None:
    """Return a value from `loads` as text: numbers and text unchanged, other values as JSON; None for null.

    Raises:
        RecursionError: when lists or objects are nested too deeply.
    """
    if isinstance(value, UnreadableText):
        return value.text
    return value if value is None or isinstance(value, str) else _nested(value)


def _nested(value: object) -> str:
    if isinstance(value, NumberLiteral):
        return str(value)
    if isinstance(value, UnreadableText):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_nested(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_nested, value)) + "]"
    return json.dumps(value)


def _constant(name: str) -> UnreadableText | None:
    return None if name == "NaN" else UnreadableText(name)


def parse_float(text: str) -> NumberLiteral:
    """Keep the text of a number with a fraction or an exponent."""
    return ExponentLiteral(text) if "e" in text or "E" in text else NumberLiteral(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        by_name: dict[str, list[object]] = {}
        for name, value in pairs:
            by_name.setdefault(name, []).append(value)
        for name, values in by_name.items():
            if any(value != values[0] or type(value) is not type(values[0]) for value in values):
                members[name] = UnreadableText(" and ".join(_nested(value) for value in values))
    return members


_DECODER = json.JSONDecoder(
    parse_float=parse_float, parse_int=NumberLiteral, parse_constant=_constant, object_pairs_hook=_object
)
