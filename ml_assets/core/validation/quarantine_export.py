"""Export of the quarantined rows of a day as text, for people to correct."""

import json
from datetime import date

import pyarrow as pa

from ml_assets.core.ingestion.file_reader import WHOLE_LINE
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW
from ml_assets.core.validation.correction_file import DAY, REASONS, correctable_reasons
from ml_assets.core.validation.corrections import positions_of, values_of


def export_schema(feed: Feed) -> pa.Schema:
    """Return the schema of the export, all text: the file and position of the row, its violations, the columns of the
    contract, and the text of a line that is not a row.
    """
    return pa.schema(
        [(name, pa.string()) for name in (DAY, SOURCE_FILE, SOURCE_ROW, REASONS, *feed.columns, WHOLE_LINE)]
    )


def rows_to_correct(feed: Feed, day: date, rows: pa.Table, entries: pa.Table) -> pa.Table:
    """Return the quarantined rows of a day that need a correction, with values that survive a round trip; see
    `values_of`.

    Rows that are quarantined only because their day is rejected or because they repeat a published row are left out.

    Args:
        feed: the contract.
        day: the day.
        rows: the raw rows of the day with corrections applied, with `raw_schema(feed)`.
        entries: the quarantine entries of the day, with `QUARANTINE_SCHEMA`.

    Returns:
        Table with `export_schema(feed)`, in the order of the entries.
    """
    reasons_by_row = {}
    for entry in entries.to_pylist():
        if entry["scope"] == "row" and (reasons := correctable_reasons(entry["reasons"])):
            reasons_by_row[entry["source_file"], entry["source_row"]] = reasons
    positions = positions_of(rows, list(reasons_by_row))
    values = values_of(feed, rows.take(pa.array(positions, pa.int64())))
    records = [
        {
            DAY: str(day),
            SOURCE_FILE: file,
            SOURCE_ROW: str(row),
            REASONS: "; ".join(reasons),
            **{name: _text(value) for name, value in row_values.items()},
        }
        for ((file, row), reasons), row_values in zip(reasons_by_row.items(), values, strict=True)
    ]
    return pa.Table.from_pylist(records, export_schema(feed))


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
