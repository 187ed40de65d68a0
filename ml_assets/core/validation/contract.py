"""The contract of a row as a pandera schema, and the violations of its rules with their severity."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import pandas as pd

from ml_assets.core.ingestion.file_reader import NOT_IN_FILE, WHOLE_LINE
from ml_assets.core.model_spec.checks.check import Severity
from ml_assets.core.model_spec.file_feed import Contract
from ml_assets.core.model_spec.source import Column, Rule
from ml_assets.core.model_spec.types.numbers import format_number
from ml_assets.core.tables.schemas import UNREADABLE

if TYPE_CHECKING:
    import pandera.pandas as pa

MISSING, CANNOT_BE_READ, NO_ROW = "missing", "cannot be read", "the line is no row"
OUTSIDE_THE_DAY = "outside the day of the partition"
REPEATED, CONFLICTING = "repeats a row of the day", "stands in rows that differ"


class Violation(NamedTuple):
    """A violation of one rule of one column, with the positions of its rows, ascending.

    A line that is not a row violates the rule `the line is no row` of the column `_line`.
    """

    column: str
    rule: str
    severity: Severity
    rows: np.ndarray

    @property
    def reason(self) -> str:
        """The reason in quarantine: column and rule."""
        return NO_ROW if self.column == WHOLE_LINE else f"{self.column}: {self.rule}"


@cache
def _schema_of(columns: tuple[tuple[str, str], ...]) -> "pa.DataFrameSchema":
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {name: _column_schema(Column.model_validate_json(rules)) for name, rules in columns}, strict=False
    )


def contract_schema(spec: Contract) -> "pa.DataFrameSchema":
    """Return the columns of the specification as a pandera schema with only the rules of values; types are converted
    before it is applied.

    The title of a check is the field that states the rule, and its error is the rule in words.
    """
    return _schema_of(tuple((name, column.model_dump_json()) for name, column in spec.columns.items()))


def _column_schema(column: Column) -> "pa.Column":
    import pandera.pandas as pa

    checks = []
    if column.minimum is not None:
        checks.append(
            pa.Check.ge(column.minimum, title="minimum", error=f"less than minimum {format_number(column.minimum)}")
        )
    if column.maximum is not None:
        checks.append(
            pa.Check.le(column.maximum, title="maximum", error=f"more than maximum {format_number(column.maximum)}")
        )
    if column.allowed is not None:
        allowed = ", ".join(str(value) for value in column.allowed)
        checks.append(pa.Check.isin(column.allowed, title="allowed", error=f"not one of {allowed}"))
    if column.pattern is not None:
        checks.append(
            pa.Check(_matches_whole, pattern=column.pattern, title="pattern", error=f"does not match {column.pattern}")
        )
    return pa.Column(None, checks=checks, nullable=column.nullable, required=True)


def _matches_whole(values: pd.Series, pattern: str) -> pd.Series:
    # Wrapping the pattern in a group instead would forbid flags such as (?i), which must come first.
    return values.str.fullmatch(pattern)


def find_violations(spec: Contract, rows: pd.DataFrame, is_in_day: pd.Series) -> pd.DataFrame:
    """Find every violation of every row.

    Args:
        spec: the contract of the files.
        rows: rows of one day as read from raw_data, index 0 to n - 1; text may be categorical, and is then checked by
            distinct value instead of by row.
        is_in_day: whether the event time of each row is in the day of the partition (true without an event time).

    Returns:
        A frame with a line for each row and violated rule, in order of row and reason, with the columns `row` (position
        in `rows`), `reason` (`column: rule`), `column`, `rule` and `severity` (error or warn).

    Raises:
        ValueError: when a rule cannot be applied to a column at all.
    """
    unreadable = _unreadable(rows[UNREADABLE])
    violations = list(unreadable)
    for name, column in contract_schema(spec).columns.items():
        unreadable_rows = [violation.rows for violation in unreadable if violation.column in (name, WHOLE_LINE)]
        violations += _violations_of_values(spec, name, column, rows[name], unreadable_rows)
    if spec.event_time is not None:
        outside = np.flatnonzero(~is_in_day.to_numpy(dtype=bool))
        violations.append(Violation(spec.event_time, OUTSIDE_THE_DAY, "error", outside))
    return as_frame(violations)


def as_frame(violations: list[Violation]) -> pd.DataFrame:
    """Convert violations to a frame with a line for each row and rule, in order of row and reason; columns as in
    `find_violations`.
    """
    # Sorting the violations by reason makes the numbers of the categories follow the order of their text.
    ordered = sorted((violation for violation in violations if len(violation.rows)), key=lambda each: each.reason)
    row = np.concatenate([np.zeros(0, np.int64), *(violation.rows for violation in ordered)])
    number = np.repeat(np.arange(len(ordered)), [len(violation.rows) for violation in ordered])
    order = np.lexsort([number, row])
    names = ("reason", "column", "rule", "severity")
    columns = {name: [getattr(violation, name) for violation in ordered] for name in names}
    return pd.DataFrame(
        {"row": row[order], **{name: _repeated(texts, number[order]) for name, texts in columns.items()}}
    )


def _repeated(texts: list[str], number: np.ndarray) -> pd.Categorical:
    names = list(dict.fromkeys(texts))
    codes = np.array([names.index(text) for text in texts], dtype=np.int64)
    return pd.Categorical.from_codes(codes[number], pd.Index(names, dtype="object"))


def _unreadable(texts: pd.Series) -> list[Violation]:
    """Return the violations of values that could not be read, and of lines that are not rows.

    Each distinct text is parsed only once, because a column that a file lacks has the same text in all rows.
    """
    number, distinct = _factorize(texts)
    positions_by_rule: dict[tuple[str, str], list[int]] = {}
    for position, text in enumerate(distinct):
        for column, value in json.loads(text).items():
            rule = NO_ROW if column == WHOLE_LINE else NOT_IN_FILE if value == NOT_IN_FILE else CANNOT_BE_READ
            positions_by_rule.setdefault((column, rule), []).append(position)
    return [
        Violation(column, rule, "error", _rows_of(number, positions, len(distinct)))
        for (column, rule), positions in positions_by_rule.items()
    ]


def _violations_of_values(
    spec: Contract, name: str, column: "pa.Column", values: pd.Series, unreadable_rows: Sequence[np.ndarray]
) -> Iterator[Violation]:
    """Yield the violations of the values of one column. `unreadable_rows`: rows whose value is null because it could
    not be read, so that it does not count as missing.
    """
    severity_of = spec.columns[name].severity_of
    if not column.nullable:
        is_missing = values.isna().to_numpy(dtype=bool)
        is_missing[np.concatenate([np.zeros(0, np.int64), *unreadable_rows])] = False
        yield Violation(name, MISSING, severity_of("missing"), np.flatnonzero(is_missing))
    for check in column.checks:
        try:
            failing = _failing(values, check)
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f"{spec.name}: the rules of column {name} cannot be applied: {check.error}: {error}"
            ) from error
        yield Violation(name, str(check.error), severity_of(cast(Rule, check.title)), failing)


def _failing(values: pd.Series, check: "pa.Check") -> np.ndarray:
    """Return the positions of the values that fail; missing values pass. Each distinct text is checked once."""
    if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype == object:
        number, distinct = _factorize(values)
        passed = check(pd.Series(distinct, dtype="object")).check_output
        return _rows_of(number, np.flatnonzero(~passed.to_numpy(dtype=bool)), len(distinct))
    passed = check(values).check_output
    return passed.index[~passed.to_numpy(dtype=bool)].to_numpy()


def _factorize(values: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return the code of each value, -1 where it is missing, and the distinct values by code."""
    categorical = values.astype("category").cat
    return categorical.codes.to_numpy(), categorical.categories


def _rows_of(number: np.ndarray, chosen: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
    """Return the positions of the values whose code, below `count`, is one of `chosen`."""
    is_chosen = np.zeros(count + 1, dtype=bool)
    is_chosen[chosen] = True
    # The code -1, of missing values, indexes the last element, which is never chosen.
    return np.flatnonzero(is_chosen[number])
