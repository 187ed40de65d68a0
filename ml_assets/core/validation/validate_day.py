"""Splitting a day into the rows that are published and what is quarantined, with the reasons."""

# pyarrow makes the functions of its compute module at run time, where no type checker sees them.
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
from ml_assets.core.tables.schemas import QUARANTINE_SCHEMA, SOURCE_FILE, SOURCE_ROW, UNREADABLE, row_schema, to_pandas
from ml_assets.core.validation.contract import CONFLICTING, REPEATED, Violation, as_frame, violations
from ml_assets.core.validation.violations import count_violations

THE_DAY_IS_REJECTED = "the day is rejected"


@dataclass(frozen=True)
class ValidatedDay:
    """A day after validation.

    accepted: table with `row_schema(spec)`, sorted by event time and row key; empty when the day is rejected or
    missing. quarantined: table with `QUARANTINE`. violations: table with `BROKEN_RULES`, of all rows, those of a
    rejected day too.
    """

    accepted: pa.Table
    quarantined: pa.Table
    violations: pa.Table


def validate_day(spec: Contract, day: date, raw: pa.Table, objects: pa.Table) -> ValidatedDay:
    """Apply the contract to one day. A fault of the data is a result, never an exception.

    Rows that break a rule of severity error are quarantined, with every rule that they break; those that break rules of
    severity warn only are published. Of identical rows one is kept; rows that share a row key but differ are all
    quarantined. A day is rejected (published empty, all rows quarantined, a `day` entry that says why) when one of its
    objects cannot be read, when its rows are fewer or more than `quality` allows, or when the share of bad rows is
    above `quality.max_bad_share` (neither identical repeats nor rules of severity warn make a row bad).

    Args:
        spec: what the files have to hold.
        day: the partition's day in the time zone of the source.
        raw: rows with `raw_schema(spec)`.
        objects: the landed objects of the day, with columns key, rows and fault of `LANDED_OBJECTS`.
    """
    rows = to_pandas(_with_distinct_text(raw.drop_columns([SOURCE_FILE, SOURCE_ROW])))
    broken = violations(spec, rows, _lies_in_day(spec, day, rows))
    is_bad = _flags(len(rows), broken.loc[broken["severity"] == "error", "row"])
    repeats = _repeats(spec, raw, rows, is_bad)
    broken = pd.concat([broken, as_frame(repeats)], ignore_index=True) if repeats else broken
    is_bad |= _flags(len(rows), *(rule.rows for rule in repeats if rule.rule == CONFLICTING))
    why_rejected = _why_rejected(spec, day, len(rows), int(is_bad.sum()), objects)
    is_kept_out = is_bad | _flags(len(rows), *(rule.rows for rule in repeats))
    reasons = broken[["row", "reason"]]
    if why_rejected:
        reasons = pd.concat(
            [reasons, pd.DataFrame({"row": np.flatnonzero(~is_kept_out), "reason": THE_DAY_IS_REJECTED})],
            ignore_index=True,
        )
        is_kept_out[:] = True
    return ValidatedDay(
        raw.select(row_schema(spec).names).take(_in_order(spec, raw, ~is_kept_out)),
        pa.concat_tables(
            [_faults(objects), _day_entry(why_rejected), _row_entries(spec, raw, reasons[is_kept_out[reasons["row"]]])]
        ),
        count_violations(spec, raw, broken),
    )


def _in_order(spec: Contract, raw: pa.Table, is_good: np.ndarray) -> pa.Array:
    """Positions of the good rows in order of event time and row key."""
    keys = [(name, "ascending") for name in [*([spec.event_time] if spec.event_time else []), *spec.row_key]]
    order = pc.sort_indices(raw, sort_keys=keys).to_numpy()
    return pa.array(order[is_good[order]])


def _with_distinct_text(table: pa.Table) -> pa.Table:
    """The same values, with each distinct text held once."""
    for position, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(position, field.name, table[field.name].dictionary_encode())
    return table


def _flags(count: int, *rows: np.ndarray | pd.Series) -> np.ndarray:
    """Of `count` rows, which are among `rows`."""
    flags = np.zeros(count, dtype=bool)
    for some in rows:
        flags[some] = True
    return flags


def _lies_in_day(spec: Contract, day: date, rows: pd.DataFrame) -> pd.Series:
    if spec.event_time is None:
        return pd.Series(True, index=rows.index)
    event_time, zone = rows[spec.event_time], spec.source.time_zone
    begin, end = beginning_of_day(day, zone), beginning_of_day(day + timedelta(days=1), zone)
    return event_time.isna() | ((event_time >= begin) & (event_time < end))


def _repeats(spec: Contract, raw: pa.Table, rows: pd.DataFrame, is_bad: np.ndarray) -> list[Violation]:
    """Rows that share a row key: identical ones but the first (by file and row), and all of those that differ and are
    not bad already.
    """
    keys = rows[spec.row_key]
    is_shared = keys.duplicated(keep=False).to_numpy() & keys.notna().all(axis=1).to_numpy()
    if not is_shared.any():
        return []
    positions = np.flatnonzero(is_shared)
    shared = to_pandas(raw.take(pa.array(positions))).set_axis(positions).sort_values([SOURCE_FILE, SOURCE_ROW])
    again = shared.duplicated([*spec.columns, UNREADABLE])
    once = shared[~again & ~is_bad[shared.index]]
    differ = once.duplicated(spec.row_key, keep=False)
    key = f"row_key {', '.join(spec.row_key)}"
    return [
        Violation(key, REPEATED, "error", np.sort(shared.index[again])),
        Violation(key, CONFLICTING, "error", np.sort(once.index[differ])),
    ]


def _why_rejected(spec: Contract, day: date, rows: int, bad: int, objects: pa.Table) -> str | None:
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


def _faults(objects: pa.Table) -> pa.Table:
    faulty = [entry for entry in objects.to_pylist() if entry["fault"]]
    return _entries([{"scope": "file", "reasons": [entry["fault"]], "source_file": entry["key"]} for entry in faulty])


def _day_entry(why: str | None) -> pa.Table:
    return _entries([{"scope": "day", "reasons": [why]}] if why else [])


def _entries(entries: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(entries, schema=QUARANTINE_SCHEMA)


def _row_entries(spec: Contract, raw: pa.Table, reasons: pd.DataFrame) -> pa.Table:
    """An entry for each row that has a reason, in the order of the rows, with its reasons in the order of their
    text.
    """
    rows, texts = reasons["row"].to_numpy(), pd.Categorical(reasons["reason"])
    order = np.lexsort([texts.codes, rows])
    rows_once, first = np.unique(rows[order], return_index=True)
    of_rows = pa.DictionaryArray.from_arrays(
        pa.array(texts.codes[order], pa.int32()), pa.array(texts.categories, pa.string())
    ).cast(pa.string())
    kept = raw.take(pa.array(rows_once))
    return pa.table(
        {
            "scope": pa.repeat("row", kept.num_rows),
            "reasons": pa.ListArray.from_arrays(pa.array([*first, len(rows)], pa.int32()), of_rows),
            "source_file": kept[SOURCE_FILE],
            "source_row": kept[SOURCE_ROW],
            "row": rows_as_json(kept.select(list(spec.columns))),
            "unreadable_values": kept[UNREADABLE],
        },
        QUARANTINE_SCHEMA,
    )
