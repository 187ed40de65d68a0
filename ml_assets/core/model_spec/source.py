"""The source of the daily files, the contract of their columns, and the quality that a day needs."""

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from ml_assets.core.model_spec.checks.check import Severity
from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.csv_dialect import CsvDialect
from ml_assets.core.model_spec.types.durations import PositiveDays
from ml_assets.core.model_spec.types.file_limits import DEFAULT_LIMITS, FileLimits
from ml_assets.core.model_spec.types.numbers import format_number

ColumnType = Literal["integer", "number", "string", "boolean", "timestamp"]
Rule = Literal["missing", "minimum", "maximum", "allowed", "pattern"]
FORMATS = (".parquet", ".csv", ".jsonl", ".csv.gz", ".jsonl.gz")
_ALLOWED_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
}
DAY_PLACEHOLDER = re.compile(r"\{day(?::([^}]*))?\}")


# Integers stay integers, because a float cannot represent all integers beyond 2**53.
Bound = StrictInt | Annotated[float, Field(allow_inf_nan=False)]

# A typo such as 0202 or 20255 would make a partition for each day of thousands of years.
FIRST_START, LAST_END = date(1900, 1, 1), date(2200, 12, 31)


class Source(SpecPart):
    """The landed files of a model: one set of files for each day."""

    files: str
    """Files of one day, relative to the landing root, with `*` and `?` as wildcards within a folder. `{day}` stands for
    the ISO date, and `{day:%Y/%m/%d}` for another notation. Files whose name begins with `_` or `.` are never read.
    Formats, by extension: .parquet, .csv, .jsonl (also .csv.gz, .jsonl.gz)."""

    start: Annotated[date, Field(ge=FIRST_START, le=LAST_END)]
    """The first day of the model's data: the first daily partition. A template such as `{{ first_day }}` must give the
    same day each time, because a later first day would drop partitions."""

    end: Annotated[date, Field(ge=FIRST_START, le=LAST_END)] | None = None
    """The last day; by default partitions continue to yesterday. There must be enough days for a model."""

    time_zone: str = "UTC"
    """IANA time zone of the days, and of timestamps without a time zone."""

    csv: CsvDialect = CsvDialect()
    """Dialect of the CSV files, if it is not RFC 4180 in UTF-8."""

    limits: FileLimits = DEFAULT_LIMITS
    """Limits of each landed file, whether of rows, labels or corrections."""

    @field_validator("files")
    @classmethod
    def _names_the_day(cls, value: str) -> str:
        return check_files_pattern(value)

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is not an IANA time zone such as Europe/Brussels") from error
        return value

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> "Source":
        if self.end is not None and self.end < self.start:
            raise ValueError(f"end {self.end} lies before start {self.start}")
        return self


class Column(SpecPart):
    """One column of the landed files: its name in the files, its type, and the rules of its values."""

    type: ColumnType
    """Type of the values after reading; a row with a value that cannot be read as this type is quarantined."""

    source: str | None = None
    """Name of the column in the files, if it differs from the name here."""

    description: str = ""
    """Meaning of the column, shown in the UI."""

    nullable: bool = False
    """Whether the value may be missing."""

    minimum: Bound | None = None
    """Minimum value (integer and number)."""

    maximum: Bound | None = None
    """Maximum value (integer and number)."""

    allowed: list[StrictBool | StrictInt | StrictFloat | StrictStr] | None = None
    """Allowed values, of the type of the column (not for timestamp)."""

    pattern: str | None = None
    """Regular expression that must match the whole value (string)."""

    known_after: PositiveDays | None = None
    """Time from the event until the value is known, such as 1d, if it is not known with the row. The row's own value
    cannot be a feature, and scoring requests do not have the column; windows over it need at least this `delay`."""

    severity: dict[Rule, Severity] = {}
    """Severity of a violation of each rule; error by default. A row that violates a rule of severity error is
    quarantined. A row that only violates rules of severity warn is published and counted, and the check of the column
    reports it. A value that cannot be read as its type is always an error."""

    blocking: bool = False
    """Whether a failure of the column's check with severity error stops the downstream stages; see `checks`."""

    def severity_of(self, rule: Rule) -> Severity:
        """Return the severity of a violation of a rule."""
        return self.severity.get(rule, "error")

    @model_validator(mode="after")
    def _severities_are_of_its_rules(self) -> "Column":
        rules = {rule for rule in ("minimum", "maximum", "allowed", "pattern") if getattr(self, rule) is not None}
        rules |= set() if self.nullable else {"missing"}
        if unknown := [rule for rule in self.severity if rule not in rules]:
            raise ValueError(
                f"severity: the column has no rule {', '.join(unknown)}; its rules are "
                f"{', '.join(sorted(rules)) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> "Column":
        if self.type not in ("integer", "number") and (self.minimum is not None or self.maximum is not None):
            raise ValueError(f"minimum and maximum are for integer and number, not for {self.type}")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {format_number(self.minimum)} is above maximum {format_number(self.maximum)}")
        for value in self.allowed or ():
            if type(value) not in _ALLOWED_TYPES.get(self.type, ()):
                raise ValueError(f"allowed: {_mismatch(value, self.type)}")
        if self.pattern is not None:
            if self.type != "string":
                raise ValueError(f"pattern is for string, not for {self.type}")
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"pattern {self.pattern!r} is not a regular expression: {error}") from error
        return self


class Quality(SpecPart):
    """Conditions under which a day is published."""

    max_bad_share: float = Field(0.1, ge=0, le=1)
    """Maximum share of invalid rows; identical repeats of a row, which are quarantined, do not count as invalid. A day
    above it is rejected: it is published empty, and all of its rows are quarantined."""

    max_rule_share: float = Field(0.05, ge=0, le=1)
    """Maximum share of the rows of a day that may violate a rule before the check of the column fails. The rows are
    quarantined in both cases. With 0, a single row fails the check."""

    min_rows: int = Field(1, ge=0, le=1_000_000_000_000)
    """Minimum number of landed rows; a day with fewer is rejected."""

    max_rows: int | None = Field(None, ge=1, le=1_000_000_000_000)
    """Maximum number of landed rows; a day with more is rejected."""

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> "Quality":
        if self.max_rows is not None and self.max_rows < self.min_rows:
            raise ValueError(f"max_rows {self.max_rows} is below min_rows {self.min_rows}")
        return self


def check_files_pattern(value: str) -> str:
    """Return the pattern if it names the day, stays inside the landing root, and can match a file of a known format.

    Raises:
        ValueError: naming the reason, when it does not.
    """
    if not DAY_PLACEHOLDER.search(value):
        raise ValueError("must contain {day}, for example transactions/{day}/*.parquet")
    for placeholder in DAY_PLACEHOLDER.finditer(value):
        if placeholder[1] is not None and sorted(re.findall("%.", placeholder[1])) != ["%Y", "%d", "%m"]:
            raise ValueError("{day:...} must contain %Y, %m and %d once each, for example {day:%Y/%m/%d}")
    if value.startswith("/") or ".." in value.split("/") or "://" in value:
        raise ValueError("must be relative to the landing root and stay inside it")
    if "\\" in value:
        raise ValueError("must separate folders by /, also on Windows")
    name = DAY_PLACEHOLDER.sub(lambda m: re.sub("%.", "0", m[1] or "0"), value).rpartition("/")[2]
    if not any(_can_end_in(name.lower(), ending) for ending in FORMATS):
        raise ValueError(
            f"no file of a known format matches {value!r}; it must match names that end in {', '.join(FORMATS)}, as "
            "*.csv and * do"
        )
    return value


def _can_end_in(pattern: str, ending: str) -> bool:
    """Return whether a name that matches the pattern (with `*` and `?`) can end in `ending`."""
    tail = pattern.rpartition("*")[2][-len(ending) :]
    fits = all(char in ("?", wanted) for char, wanted in zip(reversed(tail), reversed(ending), strict=False))
    return fits and ("*" in pattern or len(tail) == len(ending))


def _mismatch(value: bool | int | float | str, column_type: str) -> str:
    if column_type == "timestamp":
        return "not for timestamp"
    value_type = {bool: "boolean", int: "integer", float: "number", str: "string"}[type(value)]
    hint = "; YAML reads yes, no, on and off as booleans, so put text in quotes" if isinstance(value, bool) else ""
    return f"{value!r} is of type {value_type}, but the column is of type {column_type}{hint}"


def column_of(columns: Mapping[str, Column], where: str, name: str) -> Column:
    """Return the column that the field `where` of the specification names.

    Raises:
        ValueError: when there is no such column; names the field, the columns and the nearest of them.
    """
    if name not in columns:
        nearest = "".join(f"; did you mean {close}?" for close in get_close_matches(name, columns, 1))
        raise ValueError(f"{where}: there is no column {name}; the columns are {', '.join(columns)}{nearest}")
    return columns[name]
