"""The parser of request bodies: size-limited JSON that keeps the text of numbers, as for landed files."""

import json
import re
from collections.abc import Iterable

from ml_assets.core.ingestion.json_reader import NumberLiteral, UnreadableText, parse_float
from ml_assets.core.ingestion.values.text_decoding import escape
from ml_assets.core.serving.request_limits import RequestLimits

# Possessive quantifiers, so that the pattern never backtracks and examines each character once. Unterminated text also
# matches, and space matches in pieces, because a long match would block other threads.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]|[^\s"\[\]{},:]++|\s{1,10000}+', re.DOTALL)
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")
_NUL_ESCAPE = "\\u0000"


class InvalidBody(ValueError):
    """A body that cannot be read or exceeds the limits. kind: short name of the fault."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


def parse_body(body: bytes, limits: RequestLimits) -> object:
    """Parse a body of JSON, in time and memory linear in its size.

    Returns:
        The value, with numbers as NumberLiteral, and NaN and infinities as UnreadableText.

    Raises:
        InvalidBody: when the body is not JSON in UTF-8, exceeds a limit, contains the character NUL, or has a name
            twice in an object.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidBody("json_invalid", f"Invalid JSON: the byte at position {error.start} is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise InvalidBody("json_invalid", "Invalid JSON: begins with a byte order mark; send UTF-8 without one")
    check_size(text, limits)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidBody("json_invalid", f"Invalid JSON: {error}") from None
    except RecursionError:
        raise InvalidBody("too_deep", "lists or objects are nested too deeply") from None
    if _NUL_ESCAPE in text and _has_nul(value):
        raise InvalidBody("nul", "holds the character NUL (\\u0000), which no column may hold")
    return value


def check_size(text: str, limits: RequestLimits) -> None:
    """Check the limits without building values; stop at the first excess.

    Raises:
        InvalidBody: when the text has too many rows, fields or values, is nested too deeply, or has too long a value.
    """
    brackets, commas = text.count("{") + text.count("["), text.count(",")
    if brackets <= limits.depth and commas < min(limits.fields, limits.earlier_rows) and len(text) <= limits.characters:
        return
    # Numbers of commas and elements so far in the open lists and objects.
    open_brackets: list[str] = []
    commas_within: list[int] = []
    values, max_values = 0, (limits.earlier_rows + 1) * limits.fields
    longest = limits.characters + 2
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in _OPENING:
            open_brackets.append(token)
            commas_within.append(0)
            if len(open_brackets) > limits.depth:
                raise InvalidBody("too_deep", f"lists or objects are nested more than {limits.depth} deep")
        elif token in _CLOSING:
            # Invalid text is left to the parser, which reports the position.
            if open_brackets:
                open_brackets.pop()
                commas_within.pop()
        elif token == ",":
            values += 1
            if commas_within:
                commas_within[-1] += 1
                _check_members(open_brackets[-1], commas_within[-1], limits)
            if values >= max_values:
                raise InvalidBody("too_many_values", f"has more than {max_values:,} values; send fewer earlier rows")
        elif len(token) > longest:
            shown = escape(token[:20])
            raise InvalidBody(
                "too_long", f"the value that begins {shown} has more than {limits.characters:,} characters"
            )


def _check_members(bracket: str, commas: int, limits: RequestLimits) -> None:
    if bracket == "[" and commas >= limits.earlier_rows:
        raise InvalidBody(
            "too_many_rows",
            f"a list has more than {limits.earlier_rows:,} entries; send at most that many earlier rows",
        )
    if bracket == "{" and commas >= limits.fields + 1:
        raise InvalidBody("too_many_fields", f"an object has more than {limits.fields:,} fields")


def _has_nul(value: object) -> bool:
    """Return whether any text or name within a value contains the character NUL."""
    if isinstance(value, dict):
        return any("\0" in name for name in value) or _any_has_nul(value.values())
    if isinstance(value, list):
        return _any_has_nul(value)
    return isinstance(value, str) and "\0" in value


def _any_has_nul(values: Iterable[object]) -> bool:
    return any(map(_has_nul, values))


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = set()
        for name, _ in pairs:
            if name in names:
                raise InvalidBody("repeated_name", f"the name {escape(name[:100])} occurs twice in an object")
            names.add(name)
    return members


_DECODER = json.JSONDecoder(
    parse_float=parse_float, parse_int=NumberLiteral, parse_constant=UnreadableText, object_pairs_hook=_object
)
