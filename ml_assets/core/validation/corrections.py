"""Corrections, which replace landed rows: their files, and their application to the raw rows of a day."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from ml_assets.core.ingestion.file_reader import NOT_IN_FILE, WHOLE_LINE, read_landed_file
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.model_spec.types.file_limits import FileLimits
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW, UNREADABLE, raw_schema

REPLACED = "_replaced"
# Corrections were within the limits when they were accepted, so the maximum limits apply here.
_NO_LIMITS = FileLimits(unpacked_bytes=1 << 50, rows=1 << 40, columns=1_000_000, line_bytes=1 << 29, depth=500)
Values = Mapping[str, object]
RowId = tuple[str, int]
"""A row by its file and its number in the file, as in the columns `_source_file` and `_source_row`."""


@dataclass(frozen=True)
class Correction:
    """A corrected row.

    landed: the landed row that it replaces. values: JSON-able values by column. replaced: the values of the landed row
    when it was corrected; the correction applies only while the landed row is unchanged, so that it never replaces a
    different row of a rewritten file. row_id: its own file and line.
    """

    landed: RowId
    values: Values
    replaced: Values
    row_id: RowId


@dataclass(frozen=True)
class CorrectedDay:
    """Raw rows with corrections applied. outdated: number of corrections whose landed row no longer exists or
    changed."""

    rows: pa.Table
    applied: int
    outdated: int


def values_of(feed: Feed, rows: pa.Table) -> list[dict[str, object]]:
    """Convert each row to JSON-able values by column of the contract, which read back as the same values.

    Numbers, booleans and text are unchanged, instants are in ISO 8601 and UTC, and a value that could not be read is
    its original text. A line that is not a row has its text under `_line`.

    Args:
        feed: the contract.
        rows: table with `raw_schema(feed)`.
    """
    columns = {name: rows[name].to_pylist() for name in feed.columns}
    for name, column in feed.columns.items():
        if column.type == "timestamp":
            columns[name] = [None if value is None else value.isoformat() for value in columns[name]]
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for values, text in zip(records, rows[UNREADABLE].to_pylist(), strict=True):
        if text is not None:
            values |= {name: value for name, value in json.loads(text).items() if value != NOT_IN_FILE}
    return records


def correction_file(number: int, corrections: Iterable[Correction]) -> tuple[str, bytes]:
    """Return the name of a correction file (its running number in the day and the SHA-256 of the content) and its
    content, one line for each correction.
    """
    lines = [
        json.dumps(
            {
                **correction.values,
                SOURCE_FILE: correction.landed[0],
                SOURCE_ROW: correction.landed[1],
                REPLACED: correction.replaced,
            },
            ensure_ascii=False,
        )
        for correction in corrections
    ]
    content = "".join(f"{line}\n" for line in lines).encode()
    return f"{number:06d}-{hashlib.sha256(content).hexdigest()}.jsonl", content


def number_of(key: str) -> int:
    """Return the running number of a correction file."""
    return int(key.rpartition("/")[2].partition("-")[0])


def read_corrections(files: Mapping[str, bytes]) -> dict[RowId, Correction]:
    """Return the latest correction of each landed row: the one in the file with the highest number, or of equal numbers
    in the file with the highest key.

    A correction may name an earlier corrected row; it then replaces the landed row of that correction.

    Args:
        files: content of the correction files of a day, by key.
    """
    latest: dict[RowId, Correction] = {}
    origins: dict[RowId, RowId] = {}
    for key in sorted(files, key=lambda key: (number_of(key), key)):
        for line, text in enumerate(text for text in files[key].decode().split("\n") if text):
            values = json.loads(text)
            named = (values.pop(SOURCE_FILE), values.pop(SOURCE_ROW))
            landed = origins[key, line] = origins.get(named, named)
            replaced = values.pop(REPLACED)
            latest[landed] = Correction(landed, values, replaced, (key, line))
    return latest


def apply_corrections(feed: Feed, raw: pa.Table, corrections: Iterable[Correction]) -> CorrectedDay:
    """Replace landed rows of a day by their corrections, which are read as landed JSON lines.

    The provenance of a corrected row is its own file and line. Columns that were added to the specification after the
    correction have the values of the landed row.

    Args:
        feed: the contract.
        raw: rows with `raw_schema(feed)`.
        corrections: at most one for each landed row.
    """
    all_corrections = list(corrections)
    positions = positions_of(raw, [correction.landed for correction in all_corrections])
    landed = values_of(feed, raw.take(pa.array(positions[positions >= 0])))
    located = [
        (int(position), correction)
        for position, correction in zip(positions, all_corrections, strict=True)
        if position >= 0
    ]
    applicable = [
        (position, values, correction)
        for (position, correction), values in zip(located, landed, strict=True)
        if _is_unchanged(correction.replaced, values)
    ]
    if not applicable:
        return CorrectedDay(raw, 0, len(all_corrections))
    records = [
        {name: correction.values.get(name, values[name]) for name in feed.columns}
        for _, values, correction in applicable
    ]
    content = "\n".join(map(json.dumps, records)).encode()
    contract = replace(without_source_names(feed), source=feed.source.model_copy(update={"limits": _NO_LIMITS}))
    corrected = read_landed_file(contract, "corrections.jsonl", content).rows
    assert corrected is not None
    for name, part in [(SOURCE_FILE, 0), (SOURCE_ROW, 1)]:
        ids = [correction.row_id[part] for _, _, correction in applicable]
        column = pa.array(ids, raw_schema(feed).field(name).type)
        corrected = corrected.set_column(corrected.schema.get_field_index(name), name, column)
    is_kept = np.ones(raw.num_rows, dtype=bool)
    is_kept[[position for position, _, _ in applicable]] = False
    rows = pa.concat_tables([raw.filter(pa.array(is_kept)), corrected.select(raw.column_names)])
    return CorrectedDay(rows, len(applicable), len(all_corrections) - len(applicable))


def positions_of(rows: pa.Table, row_ids: Sequence[RowId]) -> np.ndarray:
    """Return the position of each row id in the rows; -1 where there is no such row."""
    if not row_ids:
        return np.array([], dtype=np.int64)
    index = pd.MultiIndex.from_arrays([rows[SOURCE_FILE].to_pandas(), rows[SOURCE_ROW].to_pandas()])
    return index.get_indexer(pd.MultiIndex.from_tuples(row_ids))


def without_source_names(feed: Feed) -> Feed:
    """Return the contract for files whose columns are named as in the specification instead of the source."""
    return replace(
        feed, columns={name: column.model_copy(update={"source": None}) for name, column in feed.columns.items()}
    )


def _is_unchanged(before: Values, now: Values) -> bool:
    """Return whether a landed row is unchanged in the columns that it still has."""
    return (WHOLE_LINE in before) == (WHOLE_LINE in now) and all(
        now[name] == value for name, value in before.items() if name in now
    )
