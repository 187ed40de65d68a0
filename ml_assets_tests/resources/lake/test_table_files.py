"""A day is read from its own files, and files stay small without dictionaries for numbers."""

import threading
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from ml_assets.resources.lake.day_commit import commit_days, write_days
from ml_assets.resources.lake.new_table import create_table
from ml_assets.resources.lake.table_files import list_files
from ml_assets.resources.lake.table_folder import TableFolder
from ml_assets.resources.storage.directory import Directory

FIRST, SECOND, THIRD = date(2025, 1, 1), date(2025, 1, 2), date(2025, 1, 3)
SCHEMA = pa.schema([("day", pa.date32()), ("n", pa.int64()), ("t", pa.string()), ("l", pa.list_(pa.string()))])


def write(path: Path, day: date, *numbers: int) -> None:
    table = create_table(str(path), SCHEMA, None, {}, ["day"])
    table.update_incremental()
    rows = pa.table({"n": numbers, "t": ["x"] * len(numbers), "l": [["y"]] * len(numbers)}, SCHEMA.remove(0))
    commit_days(table, None, write_days(TableFolder(Directory(path)).write, {day: rows}), {day: 7}, {}, {})


def test_files_are_those_of_the_version_that_is_open(tmp_path):
    write(tmp_path, FIRST, 1, 2), write(tmp_path, SECOND, 3)
    table = DeltaTable(str(tmp_path))
    write(tmp_path, THIRD, 4, 5)
    before = list_files(table, str(tmp_path), TableFolder(Directory(tmp_path)).read)
    table.update_incremental()
    after = list_files(table, str(tmp_path), TableFolder(Directory(tmp_path)).read)
    assert (before.version, before.rows) == (2, {FIRST: 2, SECOND: 1})
    assert (after.version, after.rows) == (3, {FIRST: 2, SECOND: 1, THIRD: 2})


def test_a_day_is_read_with_its_day_column_and_columns_that_were_added_later(tmp_path):
    write(tmp_path, FIRST, 1, 2), write(tmp_path, SECOND, 3)
    files = list_files(DeltaTable(str(tmp_path)), str(tmp_path), TableFolder(Directory(tmp_path)).read)
    wider = pa.schema([*SCHEMA, ("later", pa.float64())])
    (part,) = files.read(SECOND, wider, ["day", "n", "later"])
    assert part.to_pylist() == [{"day": SECOND, "n": 3, "later": None}]
    assert list(files.read(THIRD, wider, ["n"])) == []


def test_the_files_of_a_day_are_read_on_the_calling_thread(tmp_path):
    """A thread of Arrow that holds bytes of Python while the interpreter ends aborts the process."""
    write(tmp_path, FIRST, *range(1000))
    threads: list[int] = []

    def read_and_note(path: str) -> bytes:
        threads.append(threading.get_ident())
        return (tmp_path / path).read_bytes()

    files = list_files(DeltaTable(str(tmp_path)), str(tmp_path), read_and_note)
    (part,) = files.read(FIRST, SCHEMA, ["n"])
    assert part["n"].to_pylist() == list(range(1000))
    assert threads == [threading.get_ident()]


def test_only_text_has_dictionaries_and_everything_is_compressed(tmp_path):
    write(tmp_path, FIRST, *range(100))
    (path,) = tmp_path.glob("day=*/*.parquet")
    chunks = pq.ParquetFile(path).metadata.row_group(0)
    columns = {chunks.column(number).path_in_schema: chunks.column(number) for number in range(chunks.num_columns)}
    assert {name.split(".")[0]: "DICTIONARY" in str(chunk.encodings) for name, chunk in columns.items()} == {
        "n": False,
        "t": True,
        "l": True,
    }
    assert {chunk.compression for chunk in columns.values()} == {"SNAPPY"}
