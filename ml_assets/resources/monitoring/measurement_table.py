"""A Delta table of measurements: rows are appended, and no append conflicts with another."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ml_assets.resources.lake.day_commit import with_retries
from ml_assets.resources.lake.day_files import DamagedFile, read_rows, write_file
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.new_table import PROPERTIES, create_table, open_table
from ml_assets.resources.lake.table_folder import TableFolder

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

# Files that are read from a bucket at the same time.
AT_ONCE = 16
MAX_FILES = 100
"""Number of files above which they are merged into one."""
HOURS_UNTIL_DELETED = 24
"""Hours after which a merged file is deleted, so that current readers can finish."""
# No provenance refers to a measurement, so old logs need not stay.
TABLE_PROPERTIES = {**PROPERTIES, "delta.enableExpiredLogCleanup": "true"}


class MeasurementTable:
    """The table `<lake>/<model>/<name>`, which is created with its first rows. It has no partitions.

    Args:
        lake: the lake.
        model: name of the model.
        name: name of the table.
        schema: all of its columns.
        measured_at: the column with the time of a measurement, a timestamp.
    """

    def __init__(self, lake: Lake, model: str, name: str, schema: "pa.Schema", measured_at: str):
        self._lake = lake
        self._location = (model, name)
        self.schema = schema
        self._measured_at = measured_at
        self._folder = TableFolder(lake.files, f"{model}/{name}")

    def append(self, rows: "pa.Table") -> int:
        """Append rows in one atomic commit. A process that is killed during the commit leaves a file that nobody reads.

        Args:
            rows: the rows, with the columns of the table.

        Returns:
            The number of files of the table, without files that other processes added in the meantime.

        Raises:
            deltalake.exceptions.CommitFailedError: when other processes commit again and again at the same moment.
            LakeError: when the lake cannot be used.
        """
        uri, options = self._lake.location(*self._location)
        table = self._open() or create_table(uri, self.schema, options, TABLE_PROPERTIES)
        self._add_columns(table)
        written = [write_file(self._folder.write, rows.cast(self.schema))]
        with_retries(lambda: _commit(table, written), is_unchanged=lambda: True, refresh=table.update_incremental)
        # Reading the table again to count files of other processes is not worth the time.
        return len(table.file_uris()) + len(written)

    def compact(self, oldest: datetime) -> None:
        """Merge all files into one without the measurements before a time, and delete those that were merged a day ago.

        This is one commit, so readers see either all rows or the remaining ones. If another process merges at the same
        moment, its files stay.

        Args:
            oldest: time of the first measurement that stays, with a zone.

        Raises:
            deltalake.exceptions.CommitFailedError: when other processes append again and again at the same moment.
            LakeError: when the lake cannot be used.
        """
        from pyarrow.dataset import field

        table = self._open()
        if table is None:
            return
        files = _files(table)
        paths = {file["path"] for file in files}
        rows = self._read_all(sorted(paths))
        merged = rows.filter(field(self._measured_at) >= oldest).sort_by(self._measured_at)
        written = [write_file(self._folder.write, merged)] if merged.num_rows else []
        with suppress(_Merged):
            with_retries(
                lambda: _commit(table, [*written, *_removals(files)]),
                is_unchanged=lambda: _still_has(table, paths),
                refresh=table.update_incremental,
            )
        table.update_incremental()
        table.vacuum(HOURS_UNTIL_DELETED, dry_run=False, enforce_retention_duration=False, full=True)

    def newest(self, rows: int) -> "pa.Table":
        """Return at least the newest rows, by reading whole files; none if there is no table. A damaged or missing file
        is left out, because only estimates depend on measurements.

        Args:
            rows: number of rows after which no further file is read.

        Raises:
            LakeError: when the lake cannot be used.
        """
        table = self._open()
        if table is None:
            return self.schema.empty_table()
        paths: list[str] = []
        for file in sorted(_files(table), key=lambda file: file["modification_time"], reverse=True):
            if rows <= 0:
                break
            paths.append(file["path"])
            rows -= file["num_records"]
        return self._read_all(paths)

    def _read_all(self, paths: Sequence[str]) -> "pa.Table":
        import pyarrow as pa

        with ThreadPoolExecutor(AT_ONCE if "://" in self._lake.uri else 1) as threads:
            return pa.concat_tables([self.schema.empty_table(), *threads.map(self._read, paths)])

    def _read(self, path: str) -> "pa.Table":
        import pyarrow as pa

        try:
            rows = read_rows(self._folder.read(path), path, None, None)
        except (DamagedFile, FileNotFoundError):
            return self.schema.empty_table()
        for name in (name for name in self.schema.names if name not in rows.column_names):
            rows = rows.append_column(self.schema.field(name), pa.nulls(rows.num_rows, self.schema.field(name).type))
        return rows.select(self.schema.names).cast(self.schema)

    def _add_columns(self, table: "DeltaTable") -> None:
        """Add the columns that the table of an earlier version does not have."""
        from deltalake import Schema

        known = {field.name for field in table.schema().fields}
        if new := [field for field in Schema.from_arrow(self.schema).fields if field.name not in known]:
            table.alter.add_columns(new)

    def _open(self) -> "DeltaTable | None":
        return open_table(*self._lake.location(*self._location), self._folder.paths)


class _Merged(Exception):
    """Another process has merged the files."""


def _still_has(table: "DeltaTable", paths: set[str]) -> bool:
    if not paths <= {file["path"] for file in _files(table)}:
        raise _Merged
    return True


def _files(table: "DeltaTable") -> list[dict[str, Any]]:
    import pyarrow as pa

    return pa.table(table.get_add_actions(flatten=True)).to_pylist()


def _commit(table: "DeltaTable", actions: list) -> None:
    from deltalake import CommitProperties

    # delta-rs's own retries would give up at once, see `day_commit`.
    properties = CommitProperties(max_commit_retries=0)
    table.create_write_transaction(actions, mode="append", schema=table.schema(), commit_properties=properties)


def _removals(files: Sequence[dict[str, Any]]) -> list:
    from deltalake.transaction import RemoveAction

    now = time.time_ns() // 1_000_000
    return [RemoveAction(file["path"], True, now, file["size_bytes"], {}) for file in files]
