"""Validation of days: their published rows, and their quarantined rows with the reasons."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.model_spec.file_feed import Contract, Feed
from ml_assets.core.tables.day_boundaries import beginning_of_day
from ml_assets.core.tables.json_rows import rows_as_json
from ml_assets.core.tables.nul_characters import escape_nul
from ml_assets.core.tables.schemas import QUARANTINE_SCHEMA, SOURCE_FILE, SOURCE_ROW, UNREADABLE, to_pandas
from ml_assets.core.validation.contract import CONFLICTING, REPEATED, Violation, as_frame, find_violations
from ml_assets.core.validation.derived_target import derive_target
from ml_assets.core.validation.violations import count_violations

THE_DAY_IS_REJECTED = "the day is rejected"
DAY_NUMBER = "_day_number"
"""Column with the position of the day; names of a contract's columns begin with a letter."""


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


@dataclass(frozen=True)
class RawDay:
    """A day before validation.

    day: the partition's day in the time zone of the source. rows: table with `raw_schema(spec)`. objects: the landed
    objects of the day, with the columns key, rows and fault of `LANDED_OBJECTS_SCHEMA`.
    """

    day: date
    rows: pa.Table
    objects: pa.Table


def validate_day(spec: Contract, day: date, raw: pa.Table, objects: pa.Table) -> ValidatedDay:
    """Validate one day; see `validate_days` and `RawDay`."""
    (validated,) = validate_days(spec, [RawDay(day, raw, objects)])
    return validated


def validate_days(spec: Contract, days: Sequence[RawDay]) -> list[ValidatedDay]:
    """Split the rows of days into accepted and quarantined. Invalid data is a result, never an exception.

    Rows that violate a rule of severity error are quarantined with all of their violations; rows that only violate
    rules of severity warn are published. Of identical rows of a day, one is kept; rows of a day that share a row key
    but differ are all quarantined. A day is rejected (published empty, all rows quarantined, a `day` entry with the
    reason) when one of its objects cannot be read, when it has fewer or more rows than `quality` allows, or when the
    share of invalid rows is above `quality.max_bad_share` (neither identical repeats nor rules of severity warn make a
    row invalid). The result of a day does not depend on the other days; days are validated together so that each rule
    is applied only once.

    Args:
        spec: the contract of the files.
        days: the days; unless the list is empty, at least one day has rows.
    """
    raw = pa.concat_tables([raw_day.rows for raw_day in days]).combine_chunks()
    ends = np.cumsum([raw_day.rows.num_rows for raw_day in days])
    slices = [slice(end - raw_day.rows.num_rows, end) for raw_day, end in zip(days, ends, strict=True)]
    day_numbers = np.repeat(np.arange(len(days)), [raw_day.rows.num_rows for raw_day in days])
    rows = to_pandas(_with_distinct_text(raw.drop_columns([SOURCE_FILE, SOURCE_ROW])))
    violations = find_violations(spec, rows, _is_in_day(spec, days, slices, rows))
    is_bad = _flags(len(rows), violations.loc[violations["severity"] == "error", "row"])
    repeats = _repeats(spec, raw, rows, day_numbers, is_bad)
    violations = (
        pd.concat([part for part in (violations, as_frame(repeats)) if len(part)] or [violations], ignore_index=True)
        if repeats
        else violations
    )
    is_bad |= _flags(len(rows), *(repeat.rows for repeat in repeats if repeat.rule == CONFLICTING))
    is_quarantined = is_bad | _flags(len(rows), *(repeat.rows for repeat in repeats))
    rejections = [
        _rejection(spec, raw_day, int(is_bad[of_day].sum())) for raw_day, of_day in zip(days, slices, strict=True)
    ]
    reasons = violations[["row", "reason"]]
    if any(rejections):
        is_rejected = np.array([rejection is not None for rejection in rejections])[day_numbers]
        others = np.flatnonzero(is_rejected & ~is_quarantined)
        added = pd.DataFrame({"row": others, "reason": THE_DAY_IS_REJECTED})
        # pandas warns about frames without rows.
        reasons = pd.concat([part for part in (reasons, added) if len(part)] or [reasons], ignore_index=True)
        is_quarantined |= is_rejected
    order = _in_order(spec, raw, day_numbers)
    accepted = raw.select(list(spec.columns)).take(pa.array(order[~is_quarantined[order]]))
    if isinstance(spec, Feed) and spec.derived:
        label = derive_target(spec.derived, accepted[spec.derived.column])
        accepted = accepted.append_column(spec.derived.name, label)
    entries = _row_entries(spec, raw, reasons[is_quarantined[reasons["row"]]])
    counts = count_violations(spec, raw, violations, ends)
    accepted_rows = np.bincount(day_numbers[~is_quarantined], minlength=len(days))
    entry_rows = np.bincount(day_numbers[is_quarantined], minlength=len(days))
    return [
        ValidatedDay(
            accepted.slice(accepted_rows[:number].sum(), accepted_rows[number]),
            pa.concat_tables(
                [
                    _object_entries(raw_day.objects),
                    _day_entry(rejections[number]),
                    entries.slice(entry_rows[:number].sum(), entry_rows[number]),
                ]
            ),
            counts[number],
        )
        for number, raw_day in enumerate(days)
    ]


def _in_order(spec: Contract, raw: pa.Table, day_numbers: np.ndarray) -> np.ndarray:
    """Return the positions of the rows in order of day, event time and row key."""
    # The event time may be part of the row key.
    names = list(dict.fromkeys([*([spec.event_time] if spec.event_time else []), *spec.row_key]))
    keyed = raw.select(names).append_column(DAY_NUMBER, pa.array(day_numbers))
    keys = [(name, "ascending") for name in [DAY_NUMBER, *names]]
    return pc.sort_indices(keyed, sort_keys=keys).to_numpy()


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


def _is_in_day(spec: Contract, days: Sequence[RawDay], slices: Sequence[slice], rows: pd.DataFrame) -> pd.Series:
    if spec.event_time is None:
        return pd.Series(True, index=rows.index)
    event_time, zone, is_in_day = rows[spec.event_time], spec.source.time_zone, np.empty(len(rows), dtype=bool)
    for raw_day, of_day in zip(days, slices, strict=True):
        begin, end = beginning_of_day(raw_day.day, zone), beginning_of_day(raw_day.day + timedelta(days=1), zone)
        times = event_time.iloc[of_day]
        is_in_day[of_day] = times.isna() | ((times >= begin) & (times < end))
    return pd.Series(is_in_day, index=rows.index)


def _repeats(
    spec: Contract, raw: pa.Table, rows: pd.DataFrame, day_numbers: np.ndarray, is_bad: np.ndarray
) -> list[Violation]:
    """Return the violations of rows that share a row key within a day: identical rows except the first (by file and
    row), and all differing rows that are not already invalid.
    """
    keys = rows[spec.row_key]
    # Most keys occur only once in all days; comparing days only for the others halves the time.
    is_shared = keys.duplicated(keep=False).to_numpy() & keys.notna().all(axis=1).to_numpy()
    positions = np.flatnonzero(is_shared)
    shared_keys = keys.iloc[positions].assign(**{DAY_NUMBER: day_numbers[positions]})
    positions = positions[shared_keys.duplicated(keep=False).to_numpy()]
    if not len(positions):
        return []
    shared = to_pandas(raw.take(pa.array(positions))).set_axis(positions).assign(**{DAY_NUMBER: day_numbers[positions]})
    shared = shared.sort_values([SOURCE_FILE, SOURCE_ROW])
    shared = shared.assign(**{name: escape_nul(shared[name]) for name in spec.columns})
    is_repeat = shared.duplicated([DAY_NUMBER, *spec.columns, UNREADABLE])
    distinct = shared[~is_repeat & ~is_bad[shared.index]]
    is_conflict = distinct.duplicated([DAY_NUMBER, *spec.row_key], keep=False)
    key = f"row_key {', '.join(spec.row_key)}"
    return [
        Violation(key, REPEATED, "error", np.sort(shared.index[is_repeat])),
        Violation(key, CONFLICTING, "error", np.sort(distinct.index[is_conflict])),
    ]


def _rejection(spec: Contract, raw_day: RawDay, bad: int) -> str | None:
    day, objects, rows = raw_day.day, raw_day.objects, raw_day.rows.num_rows
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
