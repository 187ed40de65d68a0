"""Reading the values of one row that arrives as JSON: the same values, and the same reasons against them, as a landed
file of JSON lines has.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from ml_assets.core.ingestion.type_conversion import convert
from ml_assets.core.model_spec.file_feed import Contract
from ml_assets.core.model_spec.source import Column, ColumnType
from ml_assets.core.validation.contract import CANNOT_BE_READ, MISSING, contract_schema

# What nearly all times look like; every other form is left to the converter of files.
_TIME = re.compile(
    r"(19|20|21)\d\d-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?(Z|[+-][01]\d:[0-5]\d)?", re.ASCII
)
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_EXACT = 2**53


class Unfit(ValueError):
    """A value breaks a rule of its column. rule: name of the field that states it; reason: in the words of
    quarantine.
    """

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


class _Rule(NamedTuple):
    name: str
    reason: str
    is_met: Callable[[object], bool]


def reader_of(spec: Contract, name: str) -> Callable[[object], object]:
    """A function that reads a value of a column as JSON has it: text, number, boolean, None, or anything else.

    It returns an int, float, str, bool, datetime in UTC, or None, and raises Unfit for what quarantine would keep out:
    values that cannot be read as the type of the column, and those that break a rule of severity error. Rules of
    severity warn are let through, as in the batch.
    """
    column, zone = spec.columns[name], spec.source.time_zone
    rules = _rules(spec, name)
    is_optional = may_be_missing(column)
    read = _READERS[column.type]

    def read_value(value: object) -> object:
        found = read(value, zone)
        if found is None:
            if value is not None and _text(value).strip():
                found = _as_file(value, column.type, zone)
            if found is None:
                if not is_optional:
                    raise Unfit("missing", MISSING)
                return None
        for rule in rules:
            if not rule.is_met(found):
                raise Unfit(rule.name, rule.reason)
        return found

    return read_value


def may_be_missing(column: Column) -> bool:
    """Whether a row without a value of the column is published."""
    return column.nullable or column.severity_of("missing") == "warn"


def _rules(spec: Contract, name: str) -> Sequence[_Rule]:
    """The rules of severity error, in the words of the contract."""
    column = spec.columns[name]
    allowed = frozenset(column.allowed or ())
    minimum, maximum, pattern = column.minimum, column.maximum, re.compile(column.pattern or "")
    met: dict[str, Callable] = {
        "minimum": lambda value: value >= minimum,
        "maximum": lambda value: value <= maximum,
        "allowed": lambda value: value in allowed,
        "pattern": lambda value: pattern.fullmatch(value) is not None,
    }
    checks = contract_schema(spec).columns[name].checks
    return [_Rule(c.title, c.error, met[c.title]) for c in checks if column.severity_of(c.title) == "error"]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _as_file(value: object, kind: ColumnType, zone: str) -> object:
    """The value as the converter of landed files reads it.

    Raises:
        Unfit: when it cannot be read; None is a value that counts as missing.
    """
    converted, unreadable = convert(pa.chunked_array([pa.array([_text(value)], pa.string())]), kind, zone)
    if unreadable is not None:
        raise Unfit(kind, f"{CANNOT_BE_READ} as {kind}")
    return converted.to_pylist()[0]


def _integer(value: object, _: str) -> object:
    return value if type(value) is int and _SMALLEST <= value <= _LARGEST else None


def _number(value: object, _: str) -> object:
    if type(value) is float:
        return value if abs(value) < 1e300 else None
    return float(value) if type(value) is int and -_EXACT <= value <= _EXACT else None


def _string(value: object, _: str) -> object:
    # Where the ends are letters or digits there is nothing to trim.
    return value if type(value) is str and value and value[0].isalnum() and value[-1].isalnum() else None


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
    first, second = (time.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    # Hours that a zone repeats or skips.
    return first.astimezone(UTC) if first.utcoffset() == second.utcoffset() else None


_READERS = {"integer": _integer, "number": _number, "string": _string, "boolean": _boolean, "timestamp": _timestamp}
