"""The parquet files of a Delta table: which hold a day, reading them, and how they are written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.resources.lake.errors import DamagedDay

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable, WriterProperties
    from deltalake.fs import DeltaStorageHandler

DAY = "day"
# A request to an object store takes about as long as the transfer of a MiB.
BYTES_WORTH_A_REQUEST = 2**20


@dataclass(frozen=True)
class TableFiles:
    """The files of one version of a table, partitioned by day.

    paths: under the table, by day, in the order in which they were written. sizes: bytes by path. rows: by day.
    storage, uri: where the paths lie.
    """

    version: int
    paths: Mapping[date, list[str]]
    sizes: Mapping[str, int]
    rows: Mapping[date, int]
    storage: "DeltaStorageHandler"
    uri: str

    def read(self, day: date, schema: "pa.Schema", columns: list[str]) -> "Iterator[pa.Table]":
        """Read the rows of each file of a day; columns of the schema that a file does not have are empty.

        Raises:
            DamagedDay: when a file is not there, or is no Parquet file, or not a whole one.
        """
        import pyarrow as pa

        for path in self.paths.get(day, []):
            try:
                rows = self._read_file(path, columns)
            except (FileNotFoundError, pa.ArrowInvalid) as error:
                raise DamagedDay(self.uri, path, day, error) from error
            values = {
                name: pa.repeat(pa.scalar(day, schema.field(name).type), rows.num_rows)
                if name == DAY
                else rows[name].cast(schema.field(name).type)
                if name in rows.column_names
                else pa.nulls(rows.num_rows, schema.field(name).type)
                for name in columns
            }
            yield pa.table(values, pa.schema([schema.field(name) for name in columns]))

    def _read_file(self, path: str, columns: list[str]) -> "pa.Table":
        """Read columns of a file, on this thread only: Arrow's own threads must not call Python's file objects, see
        `ml_assets.core.tables.arrow_memory`.
        """
        import pyarrow.parquet as pq

        from ml_assets.core.tables.arrow_memory import open_content

        file = self.storage.open_input_file(path)
        if self.sizes[path] <= BYTES_WORTH_A_REQUEST * (len(columns) + 1):
            file = open_content(file.read())
        parquet = pq.ParquetFile(file, pre_buffer=False)
        return parquet.read([name for name in columns if name in parquet.schema_arrow.names], use_threads=False)


def list_files(table: "DeltaTable", uri: str, storage_options: dict[str, str]) -> TableFiles:
    """The files of the version that is open.

    Reading a day through the table's own dataset would weigh the statistics of all files of the table each time.
    """
    import pyarrow as pa
    from deltalake.fs import DeltaStorageHandler

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
    return TableFiles(table.version(), paths, sizes, rows, DeltaStorageHandler(uri, storage_options, sizes), uri)


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
