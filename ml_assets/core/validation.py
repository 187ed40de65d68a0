"""Splitting a day into the rows that are published and what is quarantined, with the reasons."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from ml_assets.core.contract import broken_rules
from ml_assets.core.days import beginning_of_day
from ml_assets.core.schemas import QUARANTINE, SOURCE_FILE, SOURCE_ROW, UNREADABLE, row_schema, to_pandas
from ml_assets.core.spec.feed import Contract

REPEATED = "repeats a row of the day"
CONFLICTING = "stands in rows that differ"
THE_DAY_IS_REJECTED = "the day is rejected"


@dataclass(frozen=True)
class ValidatedDay:
    """A day after validation.

    accepted: table with `row_schema(spec)`, sorted by event time and row key; empty when the day is rejected or missing.
    quarantined: table with `QUARANTINE`.
    """

    accepted: pa.Table
    quarantined: pa.Table


def validate_day(spec: Contract, day: date, raw: pa.Table, objects: pa.Table) -> ValidatedDay:
    """Apply the contract to one day. A fault of the data is a result, never an exception.

    Rows that break a rule are quarantined. Of identical rows one is kept; rows that share a row key but differ are all quarantined. A day is
    rejected (published empty, all rows quarantined, a `day` entry that says why) when one of its objects cannot be read, when its rows
    are fewer or more than `quality` allows, or when the share of bad rows is above `quality.max_bad_share` (identical repeats do not count as bad).

    Args:
        spec: what the files have to hold.
        day: the partition's day in the time zone of the source.
        raw: rows with `raw_schema(spec)`.
        objects: the landed objects of the day, with `LANDED_OBJECTS`.
    """
    rows = to_pandas(raw)
    broken = broken_rules(spec, rows, _lies_in_day(spec, day, rows))
    broken = pd.concat([broken, _repeats(spec, rows, broken)], ignore_index=True)
    reasons = broken.groupby("row")["reason"].agg(list)
    is_bad = np.zeros(len(rows), dtype=bool)
    is_bad[reasons.index[[any(REPEATED not in reason for reason in of_row) for of_row in reasons]]] = True
    why_rejected = _why_rejected(spec, day, len(rows), int(is_bad.sum()), objects)
    good = np.ones(len(rows), dtype=bool)
    good[reasons.index] = False
    if why_rejected:
        rest = pd.Series([[THE_DAY_IS_REJECTED]] * int(good.sum()), index=rows.index[good], dtype="object")
        reasons, good = pd.concat([reasons, rest]).sort_index(), np.zeros(len(rows), dtype=bool)
    accepted = raw.select(row_schema(spec).names).filter(pa.array(good))
    return ValidatedDay(
        accepted.sort_by([(name, "ascending") for name in [*([spec.event_time] if spec.event_time else []), *spec.row_key]]),
        pa.concat_tables([_faults(objects), _day_entry(why_rejected), _row_entries(spec, rows, reasons)]),
    )


def _lies_in_day(spec: Contract, day: date, rows: pd.DataFrame) -> pd.Series:
    if spec.event_time is None:
        return pd.Series(True, index=rows.index)
    event_time, zone = rows[spec.event_time], spec.source.time_zone
    begin, end = beginning_of_day(day, zone), beginning_of_day(day + timedelta(days=1), zone)
    return event_time.isna() | ((event_time >= begin) & (event_time < end))


def _repeats(spec: Contract, rows: pd.DataFrame, broken: pd.DataFrame) -> pd.DataFrame:
    """Rows that share a row key: identical ones but the first (by file and row), and all of those that differ."""
    keyed = rows[rows[spec.row_key].notna().all(axis=1)]
    shared = keyed[keyed.duplicated(spec.row_key, keep=False)].sort_values([SOURCE_FILE, SOURCE_ROW])
    if shared.empty:
        return pd.DataFrame({"row": pd.Series(dtype="int64"), "reason": pd.Series(dtype="object")})
    key = f"row_key {', '.join(spec.row_key)}"
    again = shared.duplicated([*spec.columns, UNREADABLE])
    once = shared[~again & ~shared.index.isin(broken["row"])]
    differ = once.duplicated(spec.row_key, keep=False)
    return pd.concat(
        [
            pd.DataFrame({"row": shared.index[again], "reason": f"{key}: {REPEATED}"}),
            pd.DataFrame({"row": once.index[differ], "reason": f"{key}: {CONFLICTING}"}),
        ]
    )


def _why_rejected(spec: Contract, day: date, rows: int, bad: int, objects: pa.Table) -> str | None:
    if objects.num_rows == 0:
        return f"no files have landed for {day}" if spec.event_time is not None else None
    unreadable = [key for key, count in zip(objects["key"].to_pylist(), objects["rows"].to_pylist(), strict=True) if count is None]
    if unreadable:
        return f"cannot be read: {', '.join(unreadable)}"
    if rows < spec.quality.min_rows:
        return f"{rows:,} rows are fewer than quality.min_rows {spec.quality.min_rows:,}"
    if spec.quality.max_rows is not None and rows > spec.quality.max_rows:
        return f"{rows:,} rows are more than quality.max_rows {spec.quality.max_rows:,}"
    if rows and bad / rows > spec.quality.max_bad_share:
        return f"{bad:,} of {rows:,} rows ({bad / rows:.1%}) are bad, more than quality.max_bad_share {spec.quality.max_bad_share:.1%}"
    return None


def _faults(objects: pa.Table) -> pa.Table:
    faulty = [entry for entry in objects.to_pylist() if entry["fault"]]
    return _entries([{"scope": "file", "reasons": [entry["fault"]], "source_file": entry["key"]} for entry in faulty])


def _day_entry(why: str | None) -> pa.Table:
    return _entries([{"scope": "day", "reasons": [why]}] if why else [])


def _entries(entries: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(entries, schema=QUARANTINE)


def _row_entries(spec: Contract, rows: pd.DataFrame, reasons: pd.Series) -> pa.Table:
    kept = rows.loc[reasons.index]
    # 15 decimals are the most that pandas writes and 10 what it writes unasked; raw_data has the value itself.
    written = kept[list(spec.columns)].to_json(orient="records", lines=True, date_format="iso", date_unit="us", double_precision=15)
    as_json = written.splitlines() if len(kept) else []
    return pa.table(
        {
            "scope": pa.array(["row"] * len(kept), pa.string()),
            "reasons": pa.array(reasons.tolist(), pa.list_(pa.string())),
            "source_file": pa.array(kept[SOURCE_FILE], pa.string()),
            "source_row": pa.array(kept[SOURCE_ROW], pa.int64()),
            "row": pa.array(as_json, pa.string()),
            "unreadable_values": pa.array(kept[UNREADABLE], pa.string(), from_pandas=True),
        },
        QUARANTINE,
    )
