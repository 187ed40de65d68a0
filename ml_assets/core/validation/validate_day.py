"""Validation of a day: its published rows, and its quarantined rows with the reasons."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.model_spec.file_feed import Contract
from ml_assets.core.tables.day_boundaries import beginning_of_day
from ml_assets.core.tables.json_rows import rows_as_json
from ml_assets.core.tables.nul_characters import escape_nul
from ml_assets.core.tables.schemas import QUARANTINE_SCHEMA, SOURCE_FILE, SOURCE_ROW, UNREADABLE, row_schema, to_pandas
from ml_assets.core.validation.contract import CONFLICTING, REPEATED, Violation, as_frame, find_violations
from ml_assets.core.validation.violations import count_violations

THE_DAY_IS_REJECTED = "the day is rejected"


@dataclass(frozen=True)
class ValidatedDay:
    """A day after validation.

    accepted: table with `row_schema(spec)`, sorted by event time and row key; empty when the day is rejected or
    missing. quarantined: table with `QUARANTINE_SCHEMA`. violations: table with `VIOLATIONS_SCHEMA`, of all rows,
    including those of a rejected day.
    """

    accepted: pa.Table
    quarantined: pa.Table
    violations: pa.Table


def validate_day(spec: Contract, day: date, raw: pa.Table, objects: pa.Table) -> ValidatedDay:
    """Split a day's rows into accepted and quarantined. Invalid data are a result, never an exception.

    Rows that violate a rule of severity error are quarantined with all of their violations; rows that violate rules of
    severity warn only are published. Of identical rows one is kept; rows that share a row key but differ are all
    quarantined. A day is rejected (published empty, all rows quarantined, a `day` entry with the reason) when one of
    its objects cannot be read, when its rows are fewer or more than `quality` allows, or when the share of invalid rows
    is above `quality.max_bad_share` (neither identical repeats nor rules of severity warn make a row invalid).

    Args:
        spec: the contract of the files.
        day: the partition's day in the time zone of the source.
        raw: rows with `raw_schema(spec)`.
        objects: the landed objects of the day, with the columns key, rows and fault of `LANDED_OBJECTS_SCHEMA`.
    """
    rows = to_pandas(_with_distinct_text(raw.drop_columns([SOURCE_FILE, SOURCE_ROW])))
    violations = find_violations(spec, rows, _is_in_day(spec, day, rows))
    is_bad = _flags(len(rows), violations.loc[violations["severity"] == "error", "row"])
    repeats = _repeats(spec, raw, rows, is_bad)
    violations = pd.concat([violations, as_frame(repeats)], ignore_index=True) if repeats else violations
    is_bad |= _flags(len(rows), *(repeat.rows for repeat in repeats if repeat.rule == CONFLICTING))
    rejection = _rejection(spec, day, len(rows), int(is_bad.sum()), objects)
    is_quarantined = is_bad | _flags(len(rows), *(repeat.rows for repeat in repeats))
    reasons = violations[["row", "reason"]]
    if rejection:
        reasons = pd.concat(
            [reasons, pd.DataFrame({"row": np.flatnonzero(~is_quarantined), "reason": THE_DAY_IS_REJECTED})],
            ignore_index=True,
        )
        is_quarantined[:] = True
    return ValidatedDay(
        raw.select(row_schema(spec).names).take(_in_order(spec, raw, ~is_quarantined)),
        pa.concat_tables(
            [
                _object_entries(objects),
                _day_entry(rejection),
                _row_entries(spec, raw, reasons[is_quarantined[reasons["row"]]]),
            ]
        ),
        count_violations(spec, raw, violations),
    )


def _in_order(spec: Contract, raw: pa.Table, is_accepted: np.ndarray) -> pa.Array:
    """Return the positions of the accepted rows in order of event time and row key."""
    keys = [(name, "ascending") for name in [*([spec.event_time] if spec.event_time else []), *spec.row_key]]
    order = pc.sort_indices(raw, sort_keys=keys).to_numpy()
    return pa.array(order[is_accepted[order]])


def _with_distinct_text(table: pa.Table) -> pa.Table:
    """Dictionary-encode text columns, so that each distinct text is in memory once."""
    for position, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(position, field.name, table[field.name].dictionary_encode())
    return table


def _flags(count: int, *rows: np.ndarray | pd.Series) -> np.ndarray:
    """Return, for `count` rows, whether each position is in one of `rows`."""
    flags = np.zeros(count, dtype=bool)
    for positions in rows:
        flags[positions] = True
    return flags


def _is_in_day(spec: Contract, day: date, rows: pd.DataFrame) -> pd.Series:
    if spec.event_time is None:
        return pd.Series(True, index=rows.index)
    event_time, zone = rows[spec.event_time], spec.source.time_zone
    begin, end = beginning_of_day(day, zone), beginning_of_day(day + timedelta(days=1), zone)
    return event_time.isna() | ((event_time >= begin) & (event_time < end))


def _repeats(spec: Contract, raw: pa.Table, rows: pd.DataFrame, is_bad: np.ndarray) -> list[Violation]:
    """Return the violations of rows that share a row key: identical rows except the first (by file and row), and all
    rows that differ and are not invalid already.
    """
    keys = rows[spec.row_key]
    is_shared = keys.duplicated(keep=False).to_numpy() & keys.notna().all(axis=1).to_numpy()
    if not is_shared.any():
        return []
    positions = np.flatnonzero(is_shared)
    shared = to_pandas(raw.take(pa.array(positions))).set_axis(positions).sort_values([SOURCE_FILE, SOURCE_ROW])
    shared = shared.assign(**{name: escape_nul(shared[name]) for name in spec.columns})
    is_repeat = shared.duplicated([*spec.columns, UNREADABLE])
    distinct = shared[~is_repeat & ~is_bad[shared.index]]
    is_conflict = distinct.duplicated(spec.row_key, keep=False)
    key = f"row_key {', '.join(spec.row_key)}"
    return [
        Violation(key, REPEATED, "error", np.sort(shared.index[is_repeat])),
        Violation(key, CONFLICTING, "error", np.sort(distinct.index[is_conflict])),
    ]


def _rejection(spec: Contract, day: date, rows: int, bad: int, objects: pa.Table) -> str | None:
    if objects.num_rows == 0:
        return f"no files have landed for {day}" if spec.event_time is not None else None
    unreadable = [
        key for key, count in zip(objects["key"].to_pylist(), objects["rows"].to_pylist(), strict=True) if count is None
    ]
    if unreadable:
        return f"cannot be read: {', '.join(unreadable)}"
    if rows < spec.quality.min_rows:
        return f"{rows:,} rows are fewer than quality.min_rows {spec.quality.min_rows:,}"
    if spec.quality.max_rows is not None and rows > spec.quality.max_rows:
        return f"{rows:,} rows are more than quality.max_rows {spec.quality.max_rows:,}"
    if rows and bad / rows > spec.quality.max_bad_share:
        return (
            f"{bad:,} of {rows:,} rows ({bad / rows:.1%}) are bad, more than quality.max_bad_share "
            f"{spec.quality.max_bad_share:.1%}"
        )
    return None


def _object_entries(objects: pa.Table) -> pa.Table:
    invalid = [entry for entry in objects.to_pylist() if entry["fault"]]
    return _entries([{"scope": "file", "reasons": [entry["fault"]], "source_file": entry["key"]} for entry in invalid])


def _day_entry(rejection: str | None) -> pa.Table:
    return _entries([{"scope": "day", "reasons": [rejection]}] if rejection else [])


def _entries(entries: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(entries, schema=QUARANTINE_SCHEMA)


def _row_entries(spec: Contract, raw: pa.Table, reasons: pd.DataFrame) -> pa.Table:
    """Return an entry for each row with a reason, in the order of the rows, with its reasons in alphabetical order."""
    rows, texts = reasons["row"].to_numpy(), pd.Categorical(reasons["reason"])
    order = np.lexsort([texts.codes, rows])
    distinct_rows, first = np.unique(rows[order], return_index=True)
    ordered_texts = pa.DictionaryArray.from_arrays(
        pa.array(texts.codes[order], pa.int32()), pa.array(texts.categories, pa.string())
    ).cast(pa.string())
    quarantined = raw.take(pa.array(distinct_rows))
    return pa.table(
        {
            "scope": pa.repeat("row", quarantined.num_rows),
            "reasons": pa.ListArray.from_arrays(pa.array([*first, len(rows)], pa.int32()), ordered_texts),
            "source_file": quarantined[SOURCE_FILE],
            "source_row": quarantined[SOURCE_ROW],
            "row": rows_as_json(quarantined.select(list(spec.columns))),
            "unreadable_values": quarantined[UNREADABLE],
        },
        QUARANTINE_SCHEMA,
    )
