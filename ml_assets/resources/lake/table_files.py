"""The Parquet files of a Delta table: listing them by day, and reading them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from ml_assets.resources.lake.day_files import DAY, DamagedFile, day_of_path, list_digest, named_digest, read_rows
from ml_assets.resources.lake.errors import DamagedDay, is_damage

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable


@dataclass(frozen=True)
class TableFiles:
    """The files of one version of a table, partitioned by day.

    Attributes:
        version: version of the table.
        paths: paths of the files under the table by day, in the order in which they were written.
        rows_by_path: number of rows of each file.
        read_file: returns the content of a file by its path under the table.
        uri: URI of the table.
    """

    version: int
    paths: Mapping[date, list[str]]
    rows_by_path: Mapping[str, int | None]
    read_file: Callable[[str], bytes]
    uri: str

    @property
    def rows(self) -> dict[date, int]:
        """Number of rows by day."""
        return {day: sum(self.rows_by_path[path] or 0 for path in paths) for day, paths in self.paths.items()}

    def count_rows(self, committed_list: Callable[[date], int | None]) -> dict[date, int]:
        """Count the rows of each day that has any. Files are read only for days whose list of files differs from the
        committed one, which `committed_list` returns.
        """
        counts = self.rows
        for day in counts:
            if not self.has_list(day, committed_list(day)):
                with suppress(DamagedDay):
                    counts[day] = sum(self.read_path(path, day, []).num_rows for path in self.paths[day])
        return counts

    def read(
        self, day: date, schema: "pa.Schema", columns: list[str], names: Mapping[str, str | None] = MappingProxyType({})
    ) -> "Iterator[pa.Table]":
        """Yield the rows of each file of a day; columns of the schema that a file does not have are null.

        A file is always read whole, because its digest covers all bytes.

        Args:
            day: the day.
            schema: types of the columns.
            columns: names of the columns to read.
            names: the name in the files of columns that are named differently there; None for a column that is not read
                because it has another type there.

        Raises:
            DamagedDay: when a file is missing, or does not have the content that was written.
        """
        import pyarrow as pa

        in_file = {name: names.get(name, name) for name in columns}
        for path in self.paths.get(day, []):
            rows = self.read_path(path, day, [name for name in in_file.values() if name is not None])
            try:
                values = {
                    name: pa.repeat(pa.scalar(day, schema.field(name).type), rows.num_rows)
                    if name == DAY
                    else _cast(rows[in_file[name]], schema.field(name).type)
                    if in_file[name] in rows.column_names
                    else pa.nulls(rows.num_rows, schema.field(name).type)
                    for name in columns
                }
                yield pa.table(values, pa.schema([schema.field(name) for name in columns]))
            except pa.ArrowException as error:
                # If the name has a digest, the values are as written, so the specification does not fit them.
                if named_digest(path) is not None:
                    raise
                raise DamagedDay(self.uri, path, day, error) from error

    def has_rows(self, day: date, schema: "pa.Schema", rows: "pa.Table") -> bool:
        """Return whether the rows of a day equal the given ones, value by value and in this order; numbers are compared
        bit by bit.

        Raises:
            DamagedDay: when the files of the day cannot be read.
        """
        import pyarrow as pa

        names = [name for name in schema.names if name != DAY]
        committed = pa.concat_tables([schema.empty_table().select(names), *self.read(day, schema, names)])
        if committed.num_rows != rows.num_rows:
            return False
        return all(as_bits(committed[name]).equals(as_bits(rows[name])) for name in names)

    def read_path(self, path: str, day: date, columns: list[str] | None = None) -> "pa.Table":
        """Read columns of one file, all by default.

        Raises:
            DamagedDay: when the file is missing, or does not have the content that was written.
        """
        if (folder := day_of_path(path)) is not None and folder != day:
            raise DamagedDay(self.uri, path, day, DamagedFile(f"the log of the table has it as a file of {day}"))
        try:
            return read_rows(self.read_file(path), path, columns, self.rows_by_path[path])
        except DamagedFile as error:
            raise DamagedDay(self.uri, path, day, error) from error
        except OSError as error:
            if not is_damage(error):
                raise
            raise DamagedDay(self.uri, path, day, error) from error

    def has_list(self, day: date, committed: int | None) -> bool:
        """Return whether the list of the files of a day equals the committed list; see `check_list`."""
        paths = self.paths.get(day, [])
        # An earlier version of this project, which does not record the list, may have committed the day since.
        is_older = bool(paths) and not any(map(named_digest, paths))
        return (
            committed is None or is_older or committed == list_digest({path: self.rows_by_path[path] for path in paths})
        )

    def check_list(self, day: date, committed: int | None) -> None:
        """Compare the list of the files of a day with the committed list.

        Args:
            day: the day.
            committed: the `list_digest` of the commit of the day; None if it was committed by an earlier version of
                this project.

        Raises:
            DamagedDay: when they differ, because a line of the log is damaged.
        """
        paths = self.paths.get(day, [])
        if self.has_list(day, committed):
            return
        reason = f"the log of the table has {len(paths)} files of the day, which are not those that were committed"
        raise DamagedDay(self.uri, f"_delta_log ({DAY}={day})", day, DamagedFile(reason))


def list_files(table: "DeltaTable", uri: str, read_file: Callable[[str], bytes]) -> TableFiles:
    """Return the files of the open version of a table.

    Reading a day through the table's own dataset would evaluate the statistics of all its files each time.

    Args:
        table: the table.
        uri: its URI.
        read_file: returns the content of a file by its path under the table.
    """
    entries = _entries(table)
    paths: dict[date, list[str]] = {}
    for entry in sorted(entries, key=lambda entry: entry["path"]):
        paths.setdefault(date.fromisoformat(str(entry[f"partition.{DAY}"])), []).append(entry["path"])
    rows = {entry["path"]: entry["num_records"] for entry in entries}
    return TableFiles(table.version(), paths, rows, read_file, uri)


def newest_day(uri: str, storage_options: dict[str, str]) -> date | None:
    """Return the newest day with rows in a table; None if it has none."""
    from deltalake import DeltaTable

    entries = _entries(DeltaTable(uri, storage_options=storage_options))
    return max((date.fromisoformat(str(entry[f"partition.{DAY}"])) for entry in entries), default=None)


def bytes_by_day(table: "DeltaTable") -> dict[date, int]:
    """Return the bytes of the Parquet files of each day of a table, from its log."""
    import pyarrow as pa

    files = pa.table(table.get_add_actions(flatten=True)).select([f"partition.{DAY}", "size_bytes"]).to_pylist()
    sizes: dict[date, int] = {}
    for file in files:
        day = date.fromisoformat(str(file[f"partition.{DAY}"]))
        sizes[day] = sizes.get(day, 0) + file["size_bytes"]
    return sizes


def _entries(table: "DeltaTable") -> list[dict]:
    # Reads delta-rs's own Arrow table: converting it to a pyarrow table would load pandas.
    actions = table.get_add_actions(flatten=True)
    names = ("path", f"partition.{DAY}", "num_records")
    columns = [actions.column(name).to_pylist() for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def as_bits(column: "pa.ChunkedArray") -> "pa.Array":
    """Return the values of a column, with floating-point numbers as bit patterns, so that 0.0 differs from -0.0 and NaN
    equals itself.
    """
    import pyarrow as pa

    values = column.combine_chunks()
    return values.view(pa.int64()) if pa.types.is_float64(values.type) else values


def _cast(values: "pa.ChunkedArray", kind: "pa.DataType") -> "pa.ChunkedArray":
    # A cast loads pandas, which a day with nothing to do does not need.
    return values if values.type.equals(kind) else values.cast(kind)


def fit_schema(rows: "pa.Table", schema: "pa.Schema") -> "pa.Table":
    """Return rows with the types of a schema. A cast, like `Schema.empty_table`, loads pandas."""
    return rows if rows.schema.equals(schema) else rows.cast(schema)
