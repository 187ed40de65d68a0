"""The parquet files of a Delta table: which hold a day, reading them, and how they are written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.resources.lake.errors import DamagedDay

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable, WriterProperties
    from pyarrow.fs import FileSystem

DAY = "day"


@dataclass(frozen=True)
class TableFiles:
    """The files of one version of a table, partitioned by day.

    paths: under the table, by day, in the order in which they were written. rows: by day. system, uri: where the paths
    lie.
    """

    version: int
    paths: Mapping[date, list[str]]
    rows: Mapping[date, int]
    system: "FileSystem"
    uri: str

    def read(self, day: date, schema: "pa.Schema", columns: list[str]) -> "Iterator[pa.Table]":
        """The rows of each file of a day; columns of the schema that a file does not have are empty.

        Raises:
            DamagedDay: when a file is not there, or is no Parquet file, or not a whole one.
        """
        import pyarrow as pa
        import pyarrow.dataset as ds

        for path in self.paths.get(day, []):
            file = ds.ParquetFileFormat().make_fragment(path, self.system, partition_expression=ds.field(DAY) == day)
            try:
                rows = file.to_table(schema, columns=columns, use_threads=False)
            except (FileNotFoundError, pa.ArrowInvalid) as error:
                raise DamagedDay(self.uri, path, day, error) from error
            yield rows


def list_files(table: "DeltaTable", uri: str, storage_options: dict[str, str]) -> TableFiles:
    """The files of the version that is open.

    Reading a day through the table's own dataset would weigh the statistics of all files of the table each time.
    """
    import pyarrow as pa
    from deltalake.fs import DeltaStorageHandler
    from pyarrow.fs import PyFileSystem

    files = (
        pa.table(table.get_add_actions(flatten=True))
        .select(["path", f"partition.{DAY}", "num_records", "size_bytes"])
        .to_pylist()
    )
    paths: dict[date, list[str]] = {}
    rows: dict[date, int] = {}
    for file in sorted(files, key=lambda file: file["path"]):
        day = date.fromisoformat(str(file[f"partition.{DAY}"]))
        paths.setdefault(day, []).append(file["path"])
        rows[day] = rows.get(day, 0) + file["num_records"]
    sizes = {file["path"]: file["size_bytes"] for file in files}
    return TableFiles(table.version(), paths, rows, PyFileSystem(DeltaStorageHandler(uri, storage_options, sizes)), uri)


def newest_day(uri: str, storage_options: dict[str, str]) -> date | None:
    """The newest day that a table has rows of, as of now; None when it has none."""
    from deltalake import DeltaTable

    return max(list_files(DeltaTable(uri, storage_options=storage_options), uri, storage_options).paths, default=None)


def as_bits(column: "pa.ChunkedArray") -> "pa.Array":
    """The values of a column, floating-point numbers as their bits: zeros of either sign differ, and what is not a
    number equals itself.
    """
    import pyarrow as pa

    values = column.combine_chunks()
    return values.view(pa.int64()) if pa.types.is_float64(values.type) else values


def writer_properties(schema: "pa.Schema") -> "WriterProperties":
    """How files are written: dictionaries for text only. For numbers they took most of a commit's time and made the
    files no smaller.
    """
    import pyarrow.types as kinds
    from deltalake import ColumnProperties, WriterProperties

    numbers = [field.name for field in schema if not kinds.is_string(field.type) and not kinds.is_nested(field.type)]
    return WriterProperties(
        compression="SNAPPY", column_properties=dict.fromkeys(numbers, ColumnProperties(dictionary_enabled=False))
    )
