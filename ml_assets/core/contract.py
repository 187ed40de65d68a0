"""The contract of a row, as a pandera schema: which rows break which rules."""

import json
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from ml_assets.core.landed_files import NOT_IN_FILE, WHOLE_LINE
from ml_assets.core.schemas import UNREADABLE
from ml_assets.core.spec.feed import Contract
from ml_assets.core.spec.source import Column

if TYPE_CHECKING:
    import pandera.pandas as pa

MISSING, CANNOT_BE_READ, NO_ROW = "missing", "cannot be read", "the line is no row"


@cache
def _schema_of(columns: tuple[tuple[str, str], ...]) -> "pa.DataFrameSchema":
    import pandera.pandas as pa

    return pa.DataFrameSchema({name: _column_schema(Column.model_validate_json(rules)) for name, rules in columns}, strict=False)


def contract_schema(spec: Contract) -> "pa.DataFrameSchema":
    """The spec's columns as a pandera schema; rows are typed before, so it holds rules of values only."""
    return _schema_of(tuple((name, column.model_dump_json()) for name, column in spec.columns.items()))


def _column_schema(column: Column) -> "pa.Column":
    import pandera.pandas as pa

    checks = []
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum, error=f"less than minimum {column.minimum:g}"))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum, error=f"more than maximum {column.maximum:g}"))
    if column.allowed is not None:
        checks.append(pa.Check.isin(column.allowed, error=f"not one of {', '.join(str(value) for value in column.allowed)}"))
    if column.pattern is not None:
        checks.append(pa.Check(_matches_whole, pattern=column.pattern, error=f"does not match {column.pattern}"))
    return pa.Column(None, checks=checks, nullable=column.nullable, required=True)


def _matches_whole(values: pd.Series, pattern: str) -> pd.Series:
    # Wrapping the pattern in a group instead would forbid flags such as (?i), which must come first.
    return values.str.fullmatch(pattern)


def broken_rules(spec: Contract, rows: pd.DataFrame, day_of_row: pd.Series) -> pd.DataFrame:
    """Every rule that every row breaks.

    Args:
        spec: what the files have to hold.
        rows: rows of one day as read from raw_data, index 0 to n - 1.
        day_of_row: boolean, whether the event time of each row lies in the day of the partition (true where there is no event time).

    Returns:
        A frame with columns `row` (position in `rows`) and `reason` (`column: rule`), a line for each broken rule, each once.

    Raises:
        ValueError: when a rule could not be applied to a column at all.
    """
    from pandera.errors import SchemaErrors

    found = [_unreadable(rows)]
    try:
        contract_schema(spec).validate(rows[list(spec.columns)], lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        if (failed := cases[cases["index"].isna()]).size:
            first = failed.iloc[0]
            raise ValueError(
                f"{spec.name}: the rules of column {first['column']} cannot be applied: {first['check']}: {first['failure_case']}"
            ) from errors
        rule = cases["check"].astype(str).replace("not_nullable", MISSING)
        found.append(pd.DataFrame({"row": cases["index"].astype("int64"), "reason": cases["column"].astype(str) + ": " + rule}))
    outside = rows.index[~day_of_row.to_numpy(dtype=bool)]
    found.append(pd.DataFrame({"row": outside, "reason": f"{spec.event_time}: outside the day of the partition"}))
    broken = pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True)
    if broken.empty:
        return broken
    return _without_missing_where_unreadable(broken).drop_duplicates().sort_values(["row", "reason"], ignore_index=True)


def _unreadable(rows: pd.DataFrame) -> pd.DataFrame:
    texts = rows[UNREADABLE].dropna()
    pairs = [
        (row, NO_ROW if column == WHOLE_LINE else f"{column}: {NOT_IN_FILE if value == NOT_IN_FILE else CANNOT_BE_READ}")
        for row, text in zip(texts.index, texts, strict=True)
        for column, value in json.loads(text).items()
    ]
    return pd.DataFrame({"row": pd.Series([p[0] for p in pairs], dtype="int64"), "reason": pd.Series([p[1] for p in pairs], dtype="object")})


def _without_missing_where_unreadable(broken: pd.DataFrame) -> pd.DataFrame:
    """A value that could not be read is null after reading; that it is missing as well would be said twice."""
    parts = broken["reason"].str.rsplit(": ", n=1, expand=True).reindex(columns=[0, 1])
    place = pd.MultiIndex.from_arrays([broken["row"], parts[0]])
    unread = place[parts[1].isin([CANNOT_BE_READ, NOT_IN_FILE])]
    whole_line = broken.loc[broken["reason"] == NO_ROW, "row"]
    said_already = (parts[1] == MISSING).to_numpy() & (place.isin(unread) | broken["row"].isin(whole_line).to_numpy())
    return broken.loc[~said_already]
