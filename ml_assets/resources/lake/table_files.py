"""The Parquet files of a Delta table: listing them by day, reading them, and the properties with which they are
written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
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

    Attributes:
        version: version of the table.
        paths: paths of the files under the table by day, in the order in which they were written.
        rows: number of rows by day.
        storage: file system of the paths.
        sizes: bytes of each file by path.
        uri: URI of the table.
    """

    version: int
    paths: Mapping[date, list[str]]
    sizes: Mapping[str, int]
    rows: Mapping[date, int]
    storage: "DeltaStorageHandler"
    uri: str

    def read(
        self, day: date, schema: "pa.Schema", columns: list[str], names: Mapping[str, str | None] = MappingProxyType({})
    ) -> "Iterator[pa.Table]":
        """Yield the rows of each file of a day; columns of the schema that a file does not have are null.

        Args:
            day: the day.
            schema: types of the columns.
            columns: names of the columns to read.
            names: the name in the files of columns that have another one there; None for a column that is not read,
                because it has another type there.

        Raises:
            DamagedDay: when a file is missing, or is not a complete Parquet file.
        """
        import pyarrow as pa

        in_file = {name: names.get(name, name) for name in columns}
        for path in self.paths.get(day, []):
            try:
                rows = self._read_file(path, [name for name in in_file.values() if name is not None])
            except (FileNotFoundError, pa.ArrowInvalid) as error:
                raise DamagedDay(self.uri, path, day, error) from error
            values = {
                name: pa.repeat(pa.scalar(day, schema.field(name).type), rows.num_rows)
                if name == DAY
                else rows[in_file[name]].cast(schema.field(name).type)
                if in_file[name] in rows.column_names
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
    """Return the files of the open version of a table.

    Reading a day through the table's own dataset would evaluate the statistics of all files of the table each time.
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
    """Return the newest day of which a table has rows now; None if it has none."""
    from deltalake import DeltaTable

    return max(list_files(DeltaTable(uri, storage_options=storage_options), uri, storage_options).paths, default=None)


def as_bits(column: "pa.ChunkedArray") -> "pa.Array":
    """Return the values of a column with floating-point numbers as their bits, so that 0.0 differs from -0.0 and NaN
    equals itself.
    """
    import pyarrow as pa

    values = column.combine_chunks()
    return values.view(pa.int64()) if pa.types.is_float64(values.type) else values


def writer_properties(schema: "pa.Schema") -> "WriterProperties":
    """Return the properties of new files: dictionaries for text only. For numbers they took most of the time of a
    commit and made the files no smaller.
    """
    import pyarrow.types as pa_types
    from deltalake import ColumnProperties, WriterProperties

    numbers = [
        field.name for field in schema if not pa_types.is_string(field.type) and not pa_types.is_nested(field.type)
    ]
    return WriterProperties(
        compression="SNAPPY", column_properties=dict.fromkeys(numbers, ColumnProperties(dictionary_enabled=False))
    )
