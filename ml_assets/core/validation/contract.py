"""The contract of a row, as a pandera schema: which rows break which rules, and how grave that is."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import pandas as pd

from ml_assets.core.ingestion.file_reader import NOT_IN_FILE, WHOLE_LINE
from ml_assets.core.model_spec.checks import Severity
from ml_assets.core.model_spec.file_feed import Contract
from ml_assets.core.model_spec.source import Column, Rule
from ml_assets.core.tables.schemas import UNREADABLE

if TYPE_CHECKING:
    import pandera.pandas as pa

MISSING, CANNOT_BE_READ, NO_ROW = "missing", "cannot be read", "the line is no row"
OUTSIDE_THE_DAY = "outside the day of the partition"
REPEATED, CONFLICTING = "repeats a row of the day", "stands in rows that differ"


class Violation(NamedTuple):
    """One rule of one column, and the rows that break it: their positions, ascending.

    A line that is no row breaks the rule `the line is no row` of the column `_line`.
    """

    column: str
    rule: str
    severity: Severity
    rows: np.ndarray

    @property
    def reason(self) -> str:
        """The rule as quarantine names it."""
        return NO_ROW if self.column == WHOLE_LINE else f"{self.column}: {self.rule}"


@cache
def _schema_of(columns: tuple[tuple[str, str], ...]) -> "pa.DataFrameSchema":
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {name: _column_schema(Column.model_validate_json(rules)) for name, rules in columns}, strict=False
    )


def contract_schema(spec: Contract) -> "pa.DataFrameSchema":
    """The spec's columns as a pandera schema; rows are typed before, so it holds rules of values only.

    The title of a check is the name of the field that states the rule, its error the rule in words.
    """
    return _schema_of(tuple((name, column.model_dump_json()) for name, column in spec.columns.items()))


def _column_schema(column: Column) -> "pa.Column":
    import pandera.pandas as pa

    checks = []
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum, title="minimum", error=f"less than minimum {column.minimum:g}"))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum, title="maximum", error=f"more than maximum {column.maximum:g}"))
    if column.allowed is not None:
        words = ", ".join(str(value) for value in column.allowed)
        checks.append(pa.Check.isin(column.allowed, title="allowed", error=f"not one of {words}"))
    if column.pattern is not None:
        checks.append(
            pa.Check(_matches_whole, pattern=column.pattern, title="pattern", error=f"does not match {column.pattern}")
        )
    return pa.Column(None, checks=checks, nullable=column.nullable, required=True)


def _matches_whole(values: pd.Series, pattern: str) -> pd.Series:
    # Wrapping the pattern in a group instead would forbid flags such as (?i), which must come first.
    return values.str.fullmatch(pattern)


def violations(spec: Contract, rows: pd.DataFrame, day_of_row: pd.Series) -> pd.DataFrame:
    """Every rule that every row breaks.

    Args:
        spec: what the files have to hold.
        rows: rows of one day as read from raw_data, index 0 to n - 1; text may be categorical, and is then judged value
            by value, not row by row.
        day_of_row: boolean, whether the event time of each row lies in the day of the partition (true where there is no
            event time).

    Returns:
        A frame with columns `row` (position in `rows`), `reason` (`column: rule`), `column`, `rule` and `severity`
            (error or warn), a line for each
        broken rule, each once, in order of row and reason.

    Raises:
        ValueError: when a rule could not be applied to a column at all.
    """
    unreadable = _unreadable(rows[UNREADABLE])
    found = list(unreadable)
    for name, column in contract_schema(spec).columns.items():
        unread = [rule.rows for rule in unreadable if rule.column in (name, WHOLE_LINE)]
        found += _rules_of_values(spec, name, column, rows[name], unread)
    if spec.event_time is not None:
        found.append(
            Violation(spec.event_time, OUTSIDE_THE_DAY, "error", np.flatnonzero(~day_of_row.to_numpy(dtype=bool)))
        )
    return as_frame(found)


def as_frame(broken: list[Violation]) -> pd.DataFrame:
    """Broken rules as a frame with a line for each row and rule, in order of row and reason; columns as in
    `violations`.
    """
    # Categories in the order of their text put a frame in that order by their numbers.
    there = sorted((rule for rule in broken if len(rule.rows)), key=lambda rule: rule.reason)
    row = np.concatenate([np.zeros(0, np.int64), *(rule.rows for rule in there)])
    number = np.repeat(np.arange(len(there)), [len(rule.rows) for rule in there])
    order = np.lexsort([number, row])
    columns = {name: [getattr(rule, name) for rule in there] for name in ("reason", "column", "rule", "severity")}
    return pd.DataFrame(
        {"row": row[order], **{name: _repeated(texts, number[order]) for name, texts in columns.items()}}
    )


def _repeated(texts: list[str], number: np.ndarray) -> pd.Categorical:
    names = list(dict.fromkeys(texts))
    place = np.array([names.index(text) for text in texts], dtype=np.int64)
    return pd.Categorical.from_codes(place[number], pd.Index(names, dtype="object"))


def _unreadable(texts: pd.Series) -> list[Violation]:
    """Values that could not be read, and lines that are no rows. A column that a file lacks has the same text in all
    rows, which is parsed once.
    """
    number, distinct = _numbered(texts)
    having: dict[tuple[str, str], list[int]] = {}
    for position, text in enumerate(distinct):
        for column, value in json.loads(text).items():
            rule = NO_ROW if column == WHOLE_LINE else NOT_IN_FILE if value == NOT_IN_FILE else CANNOT_BE_READ
            having.setdefault((column, rule), []).append(position)
    return [
        Violation(column, rule, "error", _rows_of(number, positions, len(distinct)))
        for (column, rule), positions in having.items()
    ]


def _rules_of_values(
    spec: Contract, name: str, column: "pa.Column", values: pd.Series, unread: Sequence[np.ndarray]
) -> Iterator[Violation]:
    """The rules that values of one column break. `unread`: rows whose value is null because it could not be read, which
    are not missing as well.
    """
    severity_of = spec.columns[name].severity_of
    if not column.nullable:
        is_missing = values.isna().to_numpy(dtype=bool)
        is_missing[np.concatenate([np.zeros(0, np.int64), *unread])] = False
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
    """Positions of the values that fail; missing values do not. Of text, each distinct value is judged once."""
    if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype == object:
        number, distinct = _numbered(values)
        passed = check(pd.Series(distinct, dtype="object")).check_output
        return _rows_of(number, np.flatnonzero(~passed.to_numpy(dtype=bool)), len(distinct))
    passed = check(values).check_output
    return passed.index[~passed.to_numpy(dtype=bool)].to_numpy()


def _numbered(values: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """The number of each value's distinct value, -1 where it is missing; and the distinct values."""
    categorical = values.astype("category").cat
    return categorical.codes.to_numpy(), categorical.categories


def _rows_of(number: np.ndarray, chosen: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
    """Positions of the values whose number is one of `chosen`, of `count` numbers."""
    is_chosen = np.zeros(count + 1, dtype=bool)
    is_chosen[chosen] = True
    # The number -1 is that of the last place, which nobody chose.
    return np.flatnonzero(is_chosen[number])
