"""The reader of JSON lines: every column as the text in the file, and the content that is not a row."""

import json
import re
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa

from ml_assets.core.ingestion.parsed_file import ParsedFile
from ml_assets.core.ingestion.values.text_decoding import escape

_BETWEEN_OBJECTS = re.compile(r"(?<=\})[\s,\[\]]*(?=\{)")
_SHORT_EXPONENT = re.compile(r".*[eE][+-]?[0-9]{1,2}")
_SPACE = re.compile(r"[ \t\n\r]*")


class NumberLiteral(str):
    """The text of a number in JSON, which keeps digits that a float would lose."""


class ExponentLiteral(NumberLiteral):
    """The text of a number that is written with an exponent."""


class UnreadableText(NamedTuple):
    """The text of a value that no type can hold: an infinity, or a name that occurs twice with different values."""

    text: str


def parse_json_lines(content: bytes) -> ParsedFile:
    """Read a file of JSON lines.

    Values become text: numbers keep their digits, true and false their words, lists and objects their JSON. NaN is a
    missing value. Infinities, text that is not valid Unicode, and a name that occurs twice in an object with different
    values are unreadable.

    Objects that follow each other on one line are rows. An array counts as one broken row for each of its elements, and
    what follows a fault in a line as one for each object that begins in it.
    """
    rows: list[dict[str, object]] = []
    broken: list[str] = []
    # Python's splitlines also splits at characters such as U+2028, which JSON allows within text.
    # Bytes that are not UTF-8 become lone surrogates here, and unreadable text of one value below.
    for line in content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n"):
        if not line.strip():
            continue
        line = line.removesuffix("\r")
        try:
            value = loads(line)
        except (ValueError, RecursionError):
            _split_line(line, rows, broken)
            continue
        if isinstance(value, dict):
            rows.append(value)
        elif isinstance(value, list) and value:
            broken += [json_text(element) or "null" for element in value]
        else:
            broken.append(line)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns, unreadable, integers = [], {}, {}
    for name in names:
        values = [row.get(name) for row in rows]
        texts, failed = _column(values)
        columns.append(texts)
        if failed is not None:
            unreadable[escape(name)] = failed
        if any(type(value) is ExponentLiteral for value in values):
            digits = [whole_digits(value) if type(value) is ExponentLiteral else None for value in values]
            integers[escape(name)] = pa.array(digits, pa.string())
    names = [escape(name) for name in names]
    # A struct array has a row count even if no row has a column.
    as_struct = pa.StructArray.from_arrays(columns, names) if names else pa.array([{}] * len(rows), pa.struct([]))
    return ParsedFile(
        pa.Table.from_struct_array(as_struct), names, [escape(text) for text in broken], unreadable, integers=integers
    )


def loads(text: str) -> object:
    """Parse JSON with numbers as NumberLiteral, NaN as None, and UnreadableText for what no type can hold.

    Raises:
        json.JSONDecodeError: when the text is not JSON.
    """
    return _DECODER.decode(text)


def whole_digits(number: ExponentLiteral) -> str | None:
    """Return the digits of a whole number that is written with an exponent; None for other numbers.

    Java writes doubles from ten million on in this way. Text with an exponent is not an integer: spreadsheets shorten
    long numbers to this form and lose digits.
    """
    if not _SHORT_EXPONENT.fullmatch(number):
        return None
    value = Decimal(number)
    return f"{value:.0f}" if value == value.to_integral_value() else None


def json_text(value: object) -> str | None:
    """Return the text of a value of `loads`: that of a number or text itself, else JSON; None for null.

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


def _float(text: str) -> NumberLiteral:
    return ExponentLiteral(text) if "e" in text or "E" in text else NumberLiteral(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        for name in members:
            values = [value for other, value in pairs if other == name]
            if any(value != values[0] or type(value) is not type(values[0]) for value in values):
                members[name] = UnreadableText(" and ".join(_nested(value) for value in values))
    return members


_DECODER = json.JSONDecoder(
    parse_float=_float, parse_int=NumberLiteral, parse_constant=_constant, object_pairs_hook=_object
)


def _split_line(line: str, rows: list[dict[str, object]], broken: list[str]) -> None:
    """Add the objects at the beginning of a line that is not a JSON value to `rows`, and what follows them to `broken`.

    An object after a fault may be part of the broken one, so it is not read as a row, but counts as a broken one.
    """
    position = _end_of_space(line, 0)
    while position < len(line):
        try:
            value, end = _DECODER.raw_decode(line, position)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        rows.append(value)
        position = _end_of_space(line, end)
    broken += [piece for piece in _BETWEEN_OBJECTS.split(line[position:]) if piece.strip()]


def _end_of_space(line: str, position: int) -> int:
    return _SPACE.match(line, position).end()  # type: ignore[union-attr]


def _column(values: list[object]) -> tuple[pa.Array, pa.Array | None]:
    """Return the texts of values, and those of unreadable values (None if there are none)."""
    try:
        return pa.array(values, pa.string()), None
    except (pa.ArrowException, UnicodeEncodeError):
        # Some values are not text, or not valid Unicode.
        pass
    texts: list[str | None] = []
    failed: dict[int, str] = {}
    for row, value in enumerate(values):
        try:
            texts.append(value if value is None or isinstance(value, str) else json_text(value))
        except RecursionError:
            texts.append(None)
            failed[row] = "lists or objects nested too deeply"
        if isinstance(value, UnreadableText):
            failed[row] = escape(value.text)
    try:
        column = pa.array(texts, pa.string())
    except UnicodeEncodeError:
        column = None
        failed |= {row: escape(text) for row, text in enumerate(texts) if text is not None and escape(text) != text}
    if not failed and column is not None:
        return column, None
    kept = [None if row in failed else text for row, text in enumerate(texts)]
    return pa.array(kept, pa.string()), pa.array([failed.get(row) for row in range(len(texts))], pa.string())
