"""The quarantined rows of a day as text, to be corrected by people."""

import json
from datetime import date

import pyarrow as pa

from ml_assets.core.ingestion.file_reader import WHOLE_LINE
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW
from ml_assets.core.validation.correction_file import DAY, REASONS, to_correct
from ml_assets.core.validation.corrections import positions_of, values_of


def export_schema(feed: Feed) -> pa.Schema:
    """Columns of the export, all text: where the row is from, the rules it breaks, the columns of the contract, the
    text of a line that is no row.
    """
    return pa.schema(
        [(name, pa.string()) for name in (DAY, SOURCE_FILE, SOURCE_ROW, REASONS, *feed.columns, WHOLE_LINE)]
    )


def rows_to_correct(feed: Feed, day: date, rows: pa.Table, entries: pa.Table) -> pa.Table:
    """The quarantined rows of a day that something is wrong with, with values as they read back; see `values_of`.

    Left out are rows that are in quarantine only because their day is rejected, or because they repeat a row that is
    published.

    Args:
        feed: the contract.
        day: the day.
        rows: the raw rows of the day with corrections applied, with `raw_schema(feed)`.
        entries: what is in quarantine of the day, with `QUARANTINE`.

    Returns:
        Table with `export_schema(feed)`, in the order of the entries.
    """
    wrong = {}
    for entry in entries.to_pylist():
        if entry["scope"] == "row" and (reasons := to_correct(entry["reasons"])):
            wrong[entry["source_file"], entry["source_row"]] = reasons
    found = positions_of(rows, list(wrong))
    values = values_of(feed, rows.take(pa.array(found, pa.int64())))
    records = [
        {
            DAY: str(day),
            SOURCE_FILE: file,
            SOURCE_ROW: str(row),
            REASONS: "; ".join(reasons),
            **{name: _text(value) for name, value in of_row.items()},
        }
        for ((file, row), reasons), of_row in zip(wrong.items(), values, strict=True)
    ]
    return pa.Table.from_pylist(records, export_schema(feed))


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
