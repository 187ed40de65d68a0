"""Parsing of the values of one row in JSON, with the same results and violations as for a landed file of JSON lines."""

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from ml_assets.core.ingestion.json_reader import ExponentLiteral, NumberLiteral, UnreadableText, json_text, whole_digits
from ml_assets.core.ingestion.values.text_decoding import escape
from ml_assets.core.ingestion.values.type_conversion import convert
from ml_assets.core.model_spec.file_feed import Contract
from ml_assets.core.model_spec.source import Column, ColumnType
from ml_assets.core.tables.local_time import to_instant
from ml_assets.core.validation.contract import CANNOT_BE_READ, MISSING, contract_schema

# The notation of nearly all times; the converter for landed files reads all others.
_TIME = re.compile(
    r"(19|20|21)\d\d-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?(Z|[+-][01]\d:[0-5]\d)?", re.ASCII
)
_DIGITS = re.compile("-?[0-9]{1,20}")
MAX_DIGITS = 20
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_EXACT = 2**53


class InvalidValue(ValueError):
    """A value that violates a rule of its column. rule: the field that states the rule. reason: the reason, as in
    quarantine."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


class Converted(NamedTuple):
    """A value after the converter for landed files. parsed: None if it is missing or unreadable."""

    original: object
    parsed: object
    is_readable: bool


class _Rule(NamedTuple):
    name: str
    reason: str
    is_met: Callable[[object], bool]


def reader_of(spec: Contract, name: str) -> Callable[[object], object]:
    """Return a function that parses a value of a column, from `json_reader.loads`, `json.loads` or `convert_together`.

    It returns an int, float, str, bool, datetime in UTC, or None. It raises InvalidValue for values that would be
    quarantined: values that cannot be read as the column's type or violate a rule of severity error. Violations of
    severity warn pass, as in the batch.
    """
    column, zone = spec.columns[name], spec.source.time_zone
    rules = _rules(spec, name)
    is_optional = may_be_missing(column)
    read = _READERS[column.type]

    def read_value(value: object) -> object:
        if isinstance(value, UnreadableText) or (type(value) is float and math.isinf(value)):
            raise InvalidValue(column.type, f"{CANNOT_BE_READ} as {column.type}")
        if type(value) is float and math.isnan(value):
            value = None
        if type(value) is Converted:
            if not value.is_readable:
                raise InvalidValue(column.type, f"{CANNOT_BE_READ} as {column.type}")
            parsed = value.parsed
        else:
            parsed = read(value, zone)
            if parsed is None and value is not None and _text(value).strip():
                parsed = _convert(value, column.type, zone)
        if parsed is None:
            if not is_optional:
                raise InvalidValue("missing", MISSING)
            return None
        for rule in rules:
            if not rule.is_met(parsed):
                raise InvalidValue(rule.name, rule.reason)
        return parsed

    return read_value


def needs_converter(value: object, kind: ColumnType, zone: str) -> bool:
    """Return whether a value of `json_reader.loads` is in a notation that only the converter for landed files reads.

    The converter takes milliseconds, whether for one value or a thousand.
    """
    if value is None or isinstance(value, UnreadableText) or _READERS[kind](value, zone) is not None:
        return False
    return bool(_text(value).strip())


def convert_together(values: Sequence[object], kind: ColumnType, zone: str) -> list[object]:
    """Convert the values of a column that need the converter, in one call; leave the others unchanged."""
    texts = {position: _text(value) for position, value in enumerate(values) if needs_converter(value, kind, zone)}
    # Text that is not valid Unicode is also left unchanged, and refused when it is read.
    texts = {position: text for position, text in texts.items() if escape(text) == text}
    converted = list(values)
    if texts:
        parsed, unreadable = convert(pa.chunked_array([pa.array(list(texts.values()), pa.string())]), kind, zone)
        faults = unreadable.is_valid().to_pylist() if unreadable is not None else [False] * len(texts)
        for position, value, is_unreadable in zip(texts, parsed.to_pylist(), faults, strict=True):
            converted[position] = Converted(values[position], value, not is_unreadable)
    return converted


def may_be_missing(column: Column) -> bool:
    """Return whether a row without a value of the column is published."""
    return column.nullable or column.severity_of("missing") == "warn"


def _rules(spec: Contract, name: str) -> Sequence[_Rule]:
    """Return the rules of severity error, with their reasons in the contract."""
    column = spec.columns[name]
    allowed = frozenset(column.allowed or ())
    minimum, maximum, pattern = column.minimum, column.maximum, re.compile(column.pattern or "")
    conditions: dict[str, Callable] = {
        "minimum": lambda value: value >= minimum,
        "maximum": lambda value: value <= maximum,
        "allowed": lambda value: value in allowed,
        "pattern": lambda value: pattern.fullmatch(value) is not None,
    }
    checks = contract_schema(spec).columns[name].checks
    return [
        _Rule(check.title, check.error, conditions[check.title])
        for check in checks
        if column.severity_of(check.title) == "error"
    ]


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, int | float) else json_text(value) or ""


def _convert(value: object, kind: ColumnType, zone: str) -> object:
    """Convert a value like the converter for landed files; None if it counts as missing.

    Raises:
        InvalidValue: when it cannot be read.
    """
    try:
        column = pa.array([_text(value)], pa.string())
    except (UnicodeEncodeError, RecursionError):
        raise InvalidValue(kind, f"{CANNOT_BE_READ} as {kind}") from None
    converted, unreadable = convert(pa.chunked_array([column]), kind, zone)
    if unreadable is not None:
        raise InvalidValue(kind, f"{CANNOT_BE_READ} as {kind}")
    return converted.to_pylist()[0]


def _integer(value: object, _: str) -> object:
    if isinstance(value, NumberLiteral):
        digits = whole_digits(value) if isinstance(value, ExponentLiteral) else _DIGITS.fullmatch(value) and value
        # Python refuses to convert text of thousands of digits.
        value = int(digits) if digits and len(digits) <= MAX_DIGITS else None
    return value if type(value) is int and _SMALLEST <= value <= _LARGEST else None


def _number(value: object, _: str) -> object:
    if isinstance(value, NumberLiteral):
        value = float(value)
    if type(value) is float:
        return value if abs(value) < 1e300 else None
    return float(value) if type(value) is int and -_EXACT <= value <= _EXACT else None


def _string(value: object, _: str) -> object:
    if isinstance(value, NumberLiteral):
        return str(value)
    # A text whose first and last characters are letters or digits needs no trimming.
    if type(value) is not str or not value or not value[0].isalnum() or not value[-1].isalnum():
        return None
    return value if value.isascii() or escape(value) == value else None


def _boolean(value: object, _: str) -> object:
    return value if type(value) is bool else None


def _timestamp(value: object, zone: str) -> object:
    if type(value) is not str or not _TIME.fullmatch(value):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    if time.tzinfo is not None:
        return time.astimezone(UTC)
    if zone == "UTC":
        return time.replace(tzinfo=UTC)
    return to_instant(time, ZoneInfo(zone))


_READERS = {"integer": _integer, "number": _number, "string": _string, "boolean": _boolean, "timestamp": _timestamp}
