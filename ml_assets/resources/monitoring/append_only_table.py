"""A Delta table of measurements: rows are appended, never replaced, and no append conflicts with another."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

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


class AppendOnlyTable:
    """The table `<lake>/<model>/<name>`, which is created with its first rows. It has no partitions.

    Args:
        lake: the lake.
        model: name of the model.
        name: name of the table.
        schema: all of its columns.
    """

    def __init__(self, lake: Lake, model: str, name: str, schema: "pa.Schema"):
        self._lake = lake
        self._location = (model, name)
        self.schema = schema
        self._folder = TableFolder(lake.files, f"{model}/{name}")

    def append(self, rows: "pa.Table") -> None:
        """Append rows in one atomic commit. A process that is killed meanwhile leaves a file that nobody reads.

        Args:
            rows: with the columns of the table.

        Raises:
            deltalake.exceptions.CommitFailedError: when other processes commit again and again at the same moment.
            LakeError: when the lake cannot be used.
        """
        from deltalake import CommitProperties

        uri, options = self._lake.location(*self._location)
        properties = {**PROPERTIES, "delta.appendOnly": "true"}
        table = self._open() or create_table(uri, self.schema, options, properties)
        written = write_file(self._folder.write, rows.cast(self.schema))

        def commit() -> None:
            table.create_write_transaction(
                [written],
                mode="append",
                schema=table.schema(),
                # Its own retries give up at once, see `day_commit`.
                commit_properties=CommitProperties(max_commit_retries=0),
            )

        with_retries(commit, is_unchanged=lambda: True, refresh=table.update_incremental)

    def newest(self, files: int) -> "pa.Table":
        """Return the rows of the newest appends; none if there is no table. A file that is damaged or gone is left out:
        nothing but estimates depends on measurements.

        Args:
            files: maximum number of appends.

        Raises:
            LakeError: when the lake cannot be used.
        """
        import pyarrow as pa

        table = self._open()
        if table is None:
            return self.schema.empty_table()
        actions = pa.table(table.get_add_actions(flatten=True)).select(["path", "modification_time"])
        paths = actions.sort_by([("modification_time", "descending")]).column("path").to_pylist()[:files]
        with ThreadPoolExecutor(AT_ONCE if "://" in self._lake.uri else 1) as threads:
            return pa.concat_tables(threads.map(self._read, paths)) if paths else self.schema.empty_table()

    def _read(self, path: str) -> "pa.Table":
        try:
            return read_rows(self._folder.read(path), path, None, None).cast(self.schema)
        except (DamagedFile, FileNotFoundError):
            return self.schema.empty_table()

    def _open(self) -> "DeltaTable | None":
        return open_table(*self._lake.location(*self._location), self._folder.paths)
