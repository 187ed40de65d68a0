"""Checking corrected rows before they are kept: each names a landed row, reads as its types, and meets the contract of
its day.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from ml_assets.core.ingestion.file_reader import WHOLE_LINE, read_csv_header, read_landed_file
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.model_spec.source import Column
from ml_assets.core.tables.arrow_memory import open_content
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW
from ml_assets.core.validation.contract import REPEATED
from ml_assets.core.validation.corrections import (
    Correction,
    Place,
    Values,
    apply_corrections,
    by_own_names,
    positions_of,
    read_corrections,
    values_of,
)
from ml_assets.core.validation.validate_day import THE_DAY_IS_REJECTED, validate_day

DAY, REASONS = "_day", "_reasons"
PLACE_COLUMNS = (DAY, SOURCE_FILE, SOURCE_ROW)
_PENDING = "pending"


class RepairRefused(Exception):
    """A file of corrected rows as a whole cannot be used; the message says why."""


@dataclass(frozen=True)
class RepairRow:
    """A row of a file of corrected rows: its number from 1 (a header does not count), day, the row that it names, and
    its values by column.
    """

    number: int
    day: str
    place: tuple[str | None, int | None]
    values: Values

    def fault(self, what: str) -> str:
        """A sentence that names the row and what is wrong with it."""
        return f"row {self.number} ({self.day}, {self.place[0]}, row {self.place[1]}): {what}"


@dataclass(frozen=True)
class CheckedDay:
    """What came of checking the corrected rows of a day: faults, and the corrections that are not there yet; of use
    only without faults.
    """

    faults: Sequence[str]
    corrections: Sequence[Correction]


def read_repair_file(feed: Feed, name: str, content: bytes) -> list[RepairRow]:
    """The rows of a file as the export of the quarantine has them: `_day`, `_source_file`, `_source_row` and every
    column of the contract.

    Args:
        feed: the contract.
        name: name of the file, which ends in .csv, .jsonl or .parquet.
        content: its bytes.

    Raises:
        RepairRefused: when it cannot be read, lacks columns, or has others.
    """
    try:
        found = _columns(name, content)
    except (pa.ArrowException, ValueError) as error:
        raise RepairRefused(f"{name} cannot be read: {error}") from error
    wanted = [*PLACE_COLUMNS, *feed.columns]
    if lacking := [column for column in wanted if column not in found]:
        raise RepairRefused(f"{name} has no column {', '.join(lacking)}; it needs {', '.join(wanted)}")
    if unknown := [column for column in found if column not in (*wanted, REASONS, WHOLE_LINE)]:
        raise RepairRefused(
            f"{name} has columns that the contract does not have: {', '.join(unknown)}; the columns are "
            f"{', '.join(feed.columns)}"
        )
    # Other names, because a landed file is given the places of its own rows under these.
    places = {f"named{column}": Column(type="string", source=column, nullable=True) for column in PLACE_COLUMNS}
    contract = replace(feed, columns={**by_own_names(feed).columns, **places})
    landed = read_landed_file(contract, name, content)
    if landed.rows is None or landed.fault:
        raise RepairRefused(f"{name}: {landed.fault}")
    rows = []
    for number, values in enumerate(values_of(contract, landed.rows), start=1):
        day, file, row = (values.pop(column) for column in places)
        place = (None if file is None else str(file), int(str(row)) if str(row).isdecimal() else None)
        rows.append(RepairRow(number, str(day), place, values))
    return rows


def _columns(name: str, content: bytes) -> list[str]:
    if name.endswith(".csv"):
        return read_csv_header(content)
    if name.endswith(".jsonl"):
        rows = [json.loads(line) for line in content.decode("utf-8-sig").split("\n") if line.strip()]
        return list(dict.fromkeys(column for row in rows if isinstance(row, dict) for column in row))
    if name.endswith(".parquet"):
        return pq.read_schema(open_content(content)).names
    raise ValueError("the name must end in .csv, .jsonl or .parquet")


def by_day(rows: Sequence[RepairRow]) -> tuple[dict[date, list[RepairRow]], list[str]]:
    """Rows by day, ascending; and the faults of rows that name no day or no row."""
    found: dict[date, list[RepairRow]] = {}
    faults = []
    for row in rows:
        try:
            day = date.fromisoformat(row.day)
        except ValueError:
            faults.append(row.fault(f"{DAY}: not a day such as 2026-08-20"))
            continue
        if None in row.place:
            faults.append(row.fault(f"{SOURCE_FILE}, {SOURCE_ROW}: the landed row is not named"))
            continue
        found.setdefault(day, []).append(row)
    return dict(sorted(found.items())), faults


def to_correct(reasons: Sequence[str]) -> list[str]:
    """Of the reasons why a row is in quarantine, those that a correction can mend: none where the day is rejected for
    the sake of others, or the row repeats one that is published.
    """
    return [] if THE_DAY_IS_REJECTED in reasons else [why for why in reasons if REPEATED not in why]


def check_day(
    feed: Feed, day: date, raw: pa.Table, objects: pa.Table, files: Mapping[str, bytes], rows: Sequence[RepairRow]
) -> CheckedDay:
    """Judge the corrected rows of a day as the day would be judged with them.

    Identical rows may be repeated, as in landed files: of rows that share a key and differ, those that are wrong are
    made equal to the right one.

    Args:
        feed: the contract.
        day: the day.
        raw: its rows, with `raw_schema(feed)`.
        objects: its landed objects, with `LANDED_OBJECTS`.
        files: the corrections that it has, by key.
        rows: the corrected rows of the day.
    """
    held = read_corrections(files)
    origins = {one.place: landed for landed, one in held.items()}
    faults: list[str] = []
    pending: dict[Place, tuple[RepairRow, Correction]] = {}
    landed = [
        origins.get((str(file), int(row or 0)), (str(file), int(row or 0))) for file, row in (one.place for one in rows)
    ]
    positions = positions_of(raw, landed)
    before = iter(values_of(feed, raw.take(pa.array(positions[positions >= 0]))))
    for row, place, position in zip(rows, landed, positions, strict=True):
        if position < 0:
            faults.append(row.fault(f"{SOURCE_FILE}, {SOURCE_ROW}: {feed.raw} of {day} has no such row"))
            continue
        replaced = next(before)
        if place in pending:
            faults.append(row.fault(f"replaces the same landed row as row {pending[place][0].number}"))
            continue
        pending[place] = row, Correction(place, row.values, replaced, (_PENDING, row.number))
    corrections = held | {place: one for place, (_, one) in pending.items()}
    result = validate_day(feed, day, apply_corrections(feed, raw, corrections.values()).rows, objects)
    by_number = {row.number: row for row, _ in pending.values()}
    for entry in result.quarantined.to_pylist():
        if entry["source_file"] == _PENDING:
            faults += [by_number[entry["source_row"]].fault(why) for why in to_correct(entry["reasons"])]
    there = apply_corrections(feed, raw, held.values()).rows
    now = positions_of(there, [held[place].place if place in held else place for place in pending])
    # A correction that counts no longer is not among the rows; its landed row is.
    now = [at if at >= 0 else positions_of(there, [place])[0] for at, place in zip(now, pending, strict=True)]
    same = values_of(feed, there.take(pa.array(now, pa.int64())))
    return CheckedDay(
        faults, [one for (_, one), values in zip(pending.values(), same, strict=True) if dict(one.values) != values]
    )
