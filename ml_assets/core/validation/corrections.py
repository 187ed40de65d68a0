"""Corrected rows that take the place of landed ones: as lines of files, and applied to the raw rows of a day."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from ml_assets.core.ingestion.file_reader import NOT_IN_FILE, WHOLE_LINE, read_landed_file
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW, UNREADABLE, raw_schema

REPLACED = "_replaced"
Values = Mapping[str, object]
Place = tuple[str, int]
"""A row by its file and its number there, as in the columns `_source_file` and `_source_row`."""


@dataclass(frozen=True)
class Correction:
    """A corrected row.

    landed: the landed row that it replaces. values: by column, JSON-able. replaced: the landed row as it was when it
    was corrected; the correction counts only while the landed row still is the same, so that it never meets another row
    of a file that was rewritten. place: its own file and line.
    """

    landed: Place
    values: Values
    replaced: Values
    place: Place


@dataclass(frozen=True)
class CorrectedDay:
    """Raw rows with corrections in place of what they replace. outdated: number of corrections whose landed row is gone
    or changed.
    """

    rows: pa.Table
    applied: int
    outdated: int


def values_of(feed: Feed, rows: pa.Table) -> list[dict[str, object]]:
    """Each row as JSON-able values by column of the contract, so that they read back as the same.

    Numbers, booleans and text as they are, instants in ISO 8601 and UTC, the original text where a value could not be
    read. A line that is no row has its text under `_line`.

    Args:
        feed: the contract.
        rows: table with `raw_schema(feed)`.
    """
    columns = {name: rows[name].to_pylist() for name in feed.columns}
    for name, column in feed.columns.items():
        if column.type == "timestamp":
            columns[name] = [None if value is None else value.isoformat() for value in columns[name]]
    found = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for values, text in zip(found, rows[UNREADABLE].to_pylist(), strict=True):
        if text is not None:
            values |= {name: value for name, value in json.loads(text).items() if value != NOT_IN_FILE}
    return found


def correction_file(number: int, corrections: Iterable[Correction]) -> tuple[str, bytes]:
    """Name and content of a file of corrections: a line each, named by a running number of its day and the SHA-256 of
    its content.
    """
    lines = [
        json.dumps(
            {**one.values, SOURCE_FILE: one.landed[0], SOURCE_ROW: one.landed[1], REPLACED: one.replaced},
            ensure_ascii=False,
        )
        for one in corrections
    ]
    content = "".join(f"{line}\n" for line in lines).encode()
    return f"{number:06d}-{hashlib.sha256(content).hexdigest()}.jsonl", content


def number_of(key: str) -> int:
    """The running number of a file of corrections."""
    return int(key.rpartition("/")[2].partition("-")[0])


def read_corrections(files: Mapping[str, bytes]) -> dict[Place, Correction]:
    """The correction that counts of each landed row: that in the file with the highest number, and of equal numbers the
    highest key.

    A correction may name an earlier corrected row as what it replaces; it then replaces what that one replaced.

    Args:
        files: content of the files of a day, by key.
    """
    found: dict[Place, Correction] = {}
    origins: dict[Place, Place] = {}
    for key in sorted(files, key=lambda key: (number_of(key), key)):
        for line, text in enumerate(text for text in files[key].decode().split("\n") if text):
            values = json.loads(text)
            named = (values.pop(SOURCE_FILE), values.pop(SOURCE_ROW))
            landed = origins[key, line] = origins.get(named, named)
            replaced = values.pop(REPLACED)
            found[landed] = Correction(landed, values, replaced, (key, line))
    return found


def apply_corrections(feed: Feed, raw: pa.Table, corrections: Iterable[Correction]) -> CorrectedDay:
    """The raw rows of a day, in which corrected rows take the place of those that they replace, read as landed JSON
    lines are.

    The provenance of a corrected row is its own file and line. Columns that a correction does not have, because the
    specification has them only since, are those of the landed row.

    Args:
        feed: the contract.
        raw: rows with `raw_schema(feed)`.
        corrections: one for a landed row at most.
    """
    known = list(corrections)
    positions = positions_of(raw, [one.landed for one in known])
    landed = values_of(feed, raw.take(pa.array(positions[positions >= 0])))
    there = [(int(position), one) for position, one in zip(positions, known, strict=True) if position >= 0]
    fitting = [
        (position, now, one) for (position, one), now in zip(there, landed, strict=True) if _is_same(one.replaced, now)
    ]
    if not fitting:
        return CorrectedDay(raw, 0, len(known))
    values = [{name: one.values.get(name, now[name]) for name in feed.columns} for _, now, one in fitting]
    read = read_landed_file(by_own_names(feed), "corrections.jsonl", "\n".join(map(json.dumps, values)).encode()).rows
    assert read is not None
    for name, part in [(SOURCE_FILE, 0), (SOURCE_ROW, 1)]:
        place = pa.array([one.place[part] for _, _, one in fitting], raw_schema(feed).field(name).type)
        read = read.set_column(read.schema.get_field_index(name), name, place)
    stays = np.ones(raw.num_rows, dtype=bool)
    stays[[position for position, _, _ in fitting]] = False
    rows = pa.concat_tables([raw.filter(pa.array(stays)), read.select(raw.column_names)])
    return CorrectedDay(rows, len(fitting), len(known) - len(fitting))


def positions_of(rows: pa.Table, places: Sequence[Place]) -> np.ndarray:
    """The position of each place in the rows; -1 where there is none."""
    if not places:
        return np.array([], dtype=np.int64)
    index = pd.MultiIndex.from_arrays([rows[SOURCE_FILE].to_pandas(), rows[SOURCE_ROW].to_pandas()])
    return index.get_indexer(pd.MultiIndex.from_tuples(places))


def by_own_names(feed: Feed) -> Feed:
    """The contract of files that have the names of the specification, whatever those of the source have."""
    return replace(
        feed, columns={name: column.model_copy(update={"source": None}) for name, column in feed.columns.items()}
    )


def _is_same(then: Values, now: Values) -> bool:
    """Whether a landed row is as it was, as far as it has the columns that it had then."""
    return (WHOLE_LINE in then) == (WHOLE_LINE in now) and all(
        now[name] == value for name, value in then.items() if name in now
    )
