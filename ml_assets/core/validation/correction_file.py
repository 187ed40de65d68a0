"""Checks of a file of corrected rows: each row must name a landed row, have readable values, and meet the contract of
its day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from ml_assets.core.ingestion.csv_reader import read_csv_header
from ml_assets.core.ingestion.file_reader import WHOLE_LINE, read_landed_file
from ml_assets.core.ingestion.json_lines import parse_json_lines
from ml_assets.core.ingestion.limits import check_limit
from ml_assets.core.ingestion.parquet_columns import open_parquet
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.model_spec.source import Column
from ml_assets.core.model_spec.types.csv_dialect import CsvDialect
from ml_assets.core.model_spec.types.file_limits import FileLimits
from ml_assets.core.tables.arrow_memory import open_content
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW
from ml_assets.core.validation.contract import REPEATED
from ml_assets.core.validation.corrections import (
    Correction,
    RowId,
    Values,
    apply_corrections,
    positions_of,
    read_corrections,
    values_of,
    without_source_names,
)
from ml_assets.core.validation.validate_day import THE_DAY_IS_REJECTED, validate_day

DAY, REASONS = "_day", "_reasons"
ROW_COLUMNS = (DAY, SOURCE_FILE, SOURCE_ROW)
_PENDING = "pending"


class RepairRefused(Exception):
    """A file of corrected rows that cannot be used; the message says why."""


@dataclass(frozen=True)
class RepairRow:
    """A row of a file of corrected rows: its number from 1 (without the header), its day, the landed row that it names,
    and its values by column.
    """

    number: int
    day: str
    landed: tuple[str | None, int | None]
    values: Values

    def describe(self, problem: str) -> str:
        """Return a message that names the row and its problem."""
        return f"row {self.number} ({self.day}, {self.landed[0]}, row {self.landed[1]}): {problem}"


@dataclass(frozen=True)
class CheckedDay:
    """The result of checking the corrected rows of a day: problems, and the new corrections, which may be used only if
    there are no problems.
    """

    problems: Sequence[str]
    corrections: Sequence[Correction]


def read_repair_file(feed: Feed, name: str, content: bytes) -> list[RepairRow]:
    """Read the rows of a file in the format of the quarantine export: `_day`, `_source_file`, `_source_row` and every
    column of the contract.

    Args:
        feed: the contract.
        name: name of the file, which ends in .csv, .jsonl or .parquet.
        content: content of the file.

    Raises:
        RepairRefused: when the file cannot be read, lacks columns, or has other columns.
    """
    limits = feed.source.limits
    try:
        check_limit(limits, "unpacked_bytes", len(content))
        columns = _columns(name, content, limits)
    except (pa.ArrowException, ValueError) as error:
        raise RepairRefused(f"{name} cannot be read: {error}") from error
    required = [*ROW_COLUMNS, *feed.columns]
    if lacking := [column for column in required if column not in columns]:
        raise RepairRefused(f"{name} has no column {', '.join(lacking)}; it needs {', '.join(required)}")
    if unknown := [column for column in columns if column not in (*required, REASONS, WHOLE_LINE)]:
        raise RepairRefused(
            f"{name} has columns that the contract does not have: {', '.join(unknown)}; the columns are "
            f"{', '.join(feed.columns)}"
        )
    # Rename them, because reading a landed file adds columns with these names.
    row_columns = {f"named{column}": Column(type="string", source=column, nullable=True) for column in ROW_COLUMNS}
    # The export has the default dialect, whatever the dialect of the day's files is.
    source = feed.source.model_copy(update={"csv": CsvDialect()})
    contract = replace(feed, source=source, columns={**without_source_names(feed).columns, **row_columns})
    landed = read_landed_file(contract, name, content)
    if landed.rows is None or landed.fault:
        raise RepairRefused(f"{name}: {landed.fault}")
    rows = []
    for number, values in enumerate(values_of(contract, landed.rows), start=1):
        day, file, row = (values.pop(column) for column in row_columns)
        landed_row = (None if file is None else str(file), int(str(row)) if str(row).isdecimal() else None)
        rows.append(RepairRow(number, str(day), landed_row, values))
    return rows


def _columns(name: str, content: bytes, limits: FileLimits) -> list[str]:
    if name.endswith(".csv"):
        return read_csv_header(content, CsvDialect(), limits)
    if name.endswith(".jsonl"):
        return parse_json_lines(content, (), limits).columns
    if name.endswith(".parquet"):
        return open_parquet(open_content(content).read_buffer(), limits).schema_arrow.names
    raise ValueError("the name must end in .csv, .jsonl or .parquet")


def by_day(rows: Sequence[RepairRow]) -> tuple[dict[date, list[RepairRow]], list[str]]:
    """Group rows by day, ascending; also return the problems of rows that name no day or no row."""
    rows_by_day: dict[date, list[RepairRow]] = {}
    problems = []
    for row in rows:
        try:
            day = date.fromisoformat(row.day)
        except ValueError:
            problems.append(row.describe(f"{DAY}: not a day such as 2026-08-20"))
            continue
        if None in row.landed:
            problems.append(row.describe(f"{SOURCE_FILE}, {SOURCE_ROW}: the landed row is not named"))
            continue
        rows_by_day.setdefault(day, []).append(row)
    return dict(sorted(rows_by_day.items())), problems


def correctable_reasons(reasons: Sequence[str]) -> list[str]:
    """Return the reasons for quarantine that a correction of the row can remove; none if the day is rejected because of
    other rows, or the row repeats a published one.
    """
    return [] if THE_DAY_IS_REJECTED in reasons else [reason for reason in reasons if REPEATED not in reason]


def check_day(
    feed: Feed, day: date, raw: pa.Table, objects: pa.Table, files: Mapping[str, bytes], rows: Sequence[RepairRow]
) -> CheckedDay:
    """Check the corrected rows of a day by validating the day with them.

    As in landed files, identical rows may be repeated: a conflict between rows with the same key is resolved by making
    the wrong rows equal to the right one.

    Args:
        feed: the contract.
        day: the day.
        raw: the rows of the day, with `raw_schema(feed)`.
        objects: the landed objects of the day, with `LANDED_OBJECTS_SCHEMA`.
        files: the existing correction files of the day, by key.
        rows: the corrected rows of the day.
    """
    existing = read_corrections(files)
    origins = {correction.row_id: landed for landed, correction in existing.items()}
    problems: list[str] = []
    pending: dict[RowId, tuple[RepairRow, Correction]] = {}
    named = [(str(file), int(number or 0)) for file, number in (row.landed for row in rows)]
    landed = [origins.get(row_id, row_id) for row_id in named]
    positions = positions_of(raw, landed)
    landed_values = iter(values_of(feed, raw.take(pa.array(positions[positions >= 0]))))
    for row, row_id, position in zip(rows, landed, positions, strict=True):
        if position < 0:
            problems.append(row.describe(f"{SOURCE_FILE}, {SOURCE_ROW}: {feed.raw} of {day} has no such row"))
            continue
        replaced = next(landed_values)
        if row_id in pending:
            problems.append(row.describe(f"replaces the same landed row as row {pending[row_id][0].number}"))
            continue
        pending[row_id] = row, Correction(row_id, row.values, replaced, (_PENDING, row.number))
    corrections = existing | {row_id: correction for row_id, (_, correction) in pending.items()}
    result = validate_day(feed, day, apply_corrections(feed, raw, corrections.values()).rows, objects)
    by_number = {row.number: row for row, _ in pending.values()}
    for entry in result.quarantined.to_pylist():
        if entry["source_file"] == _PENDING:
            row = by_number[entry["source_row"]]
            problems += [row.describe(reason) for reason in correctable_reasons(entry["reasons"])]
    current = _current_values(feed, raw, existing, list(pending))
    return CheckedDay(
        problems,
        [
            correction
            for (_, correction), values in zip(pending.values(), current, strict=True)
            if dict(correction.values) != values
        ],
    )


def _current_values(
    feed: Feed, raw: pa.Table, existing: Mapping[RowId, Correction], landed: Sequence[RowId]
) -> list[dict[str, object]]:
    """Return the current values of landed rows, with the existing corrections applied."""
    rows = apply_corrections(feed, raw, existing.values()).rows
    positions = positions_of(rows, [existing[row_id].row_id if row_id in existing else row_id for row_id in landed])
    # The rows do not include outdated corrections, but do include their landed rows.
    positions = [
        position if position >= 0 else positions_of(rows, [row_id])[0]
        for position, row_id in zip(positions, landed, strict=True)
    ]
    return values_of(feed, rows.take(pa.array(positions, pa.int64())))
