"""A day is read from its own files, and files stay small without dictionaries for numbers."""

import threading
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.fs import DeltaStorageHandler

from ml_assets.resources.lake import table_files
from ml_assets.resources.lake.table_files import list_files, writer_properties

FIRST, SECOND, THIRD = date(2025, 1, 1), date(2025, 1, 2), date(2025, 1, 3)
SCHEMA = pa.schema([("day", pa.date32()), ("n", pa.int64()), ("t", pa.string()), ("l", pa.list_(pa.string()))])


def write(path: Path, day: date, *numbers: int) -> None:
    rows = pa.table(
        {"day": [day] * len(numbers), "n": numbers, "t": ["x"] * len(numbers), "l": [["y"]] * len(numbers)}, SCHEMA
    )
    write_deltalake(str(path), rows, mode="append", partition_by=["day"], writer_properties=writer_properties(SCHEMA))


def test_files_are_those_of_the_version_that_is_open(tmp_path):
    write(tmp_path, FIRST, 1, 2), write(tmp_path, SECOND, 3)
    table = DeltaTable(str(tmp_path))
    write(tmp_path, SECOND, 4)
    before = list_files(table, str(tmp_path), {})
    table.update_incremental()
    after = list_files(table, str(tmp_path), {})
    assert (before.version, before.rows) == (1, {FIRST: 2, SECOND: 1})
    assert (after.version, after.rows) == (2, {FIRST: 2, SECOND: 2})


def test_a_day_is_read_with_its_day_column_and_columns_that_were_added_later(tmp_path):
    write(tmp_path, FIRST, 1, 2), write(tmp_path, SECOND, 3)
    files = list_files(DeltaTable(str(tmp_path)), str(tmp_path), {})
    wider = pa.schema([*SCHEMA, ("later", pa.float64())])
    (part,) = files.read(SECOND, wider, ["day", "n", "later"])
    assert part.to_pylist() == [{"day": SECOND, "n": 3, "later": None}]
    assert list(files.read(THIRD, wider, ["n"])) == []


class FileWithThreads:
    """A file that notes the threads that read it."""

    def __init__(self, file: pa.NativeFile):
        self._file = file
        self.threads: set[int] = set()
        self.reads = 0

    def read(self, size: int = -1) -> bytes:
        self.threads.add(threading.get_ident())
        self.reads += 1
        return self._file.read(size)

    def __getattr__(self, name: str):
        # Arrow prefers it to `read`.
        if name == "read_buffer":
            raise AttributeError(name)
        return getattr(self._file, name)


@pytest.mark.parametrize(("bytes_worth_a_request", "fewest_reads", "most_reads"), [(2**20, 1, 1), (0, 2, 10)])
def test_the_files_of_a_day_are_read_on_the_calling_thread(
    tmp_path, monkeypatch, bytes_worth_a_request, fewest_reads, most_reads
):
    """A thread of Arrow that holds bytes of Python while the interpreter ends aborts the process."""
    write(tmp_path, FIRST, *range(1000))
    files, opened = list_files(DeltaTable(str(tmp_path)), str(tmp_path), {}), []
    open_input_file = DeltaStorageHandler.open_input_file

    def open_and_note(handler: DeltaStorageHandler, path: str) -> pa.PythonFile:
        opened.append(FileWithThreads(open_input_file(handler, path)))
        return pa.PythonFile(opened[-1], mode="r")

    monkeypatch.setattr(DeltaStorageHandler, "open_input_file", open_and_note)
    monkeypatch.setattr(table_files, "BYTES_WORTH_A_REQUEST", bytes_worth_a_request, raising=False)
    (part,) = files.read(FIRST, SCHEMA, ["n"])
    assert part["n"].to_pylist() == list(range(1000))
    assert set.union(*(file.threads for file in opened)) == {threading.get_ident()}
    assert fewest_reads <= sum(file.reads for file in opened) <= most_reads


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
