"""The lake as it will be after a plan: fingerprints can be assumed, reads of fingerprints are recorded, and nothing is
written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydantic import PrivateAttr

from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.resources.lake.day_files import DAY
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.read_only_lake import ReadOnlyTable
from ml_assets.resources.lake.table import Table
from ml_assets.resources.lake.table_folder import TableFolder
from ml_assets.resources.storage.directory import Directory

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

FingerprintReads = list[tuple[str, date]]


class PlannedTable(ReadOnlyTable):
    """A Delta table that is only read. If it does not exist, an empty one in a temporary directory takes its place.

    Args:
        uri: URI of the table.
        schema: schema of the table without the day column.
        storage_options: options of delta-rs.
        folder: the files of the table.
        placeholder: directory for an empty table in place of one that does not exist.
        reads: the asset and day of each fingerprint that was read are appended to it.
    """

    def __init__(
        self,
        uri: str,
        schema: "pa.Schema",
        storage_options: dict[str, str],
        folder: TableFolder,
        placeholder: str,
        reads: FingerprintReads,
    ):
        self._placeholder = placeholder
        self._reads = reads
        self._asset = uri.rsplit("/", 1)[-1]
        self._assumed: dict[date, int] = {}
        self._keeps_fingerprints = False
        super().__init__(uri, schema, storage_options, folder)

    def assume_fingerprint(self, day: date, fingerprint: int) -> None:
        """Assume this fingerprint for the day from now on."""
        self._assumed[day] = fingerprint

    def is_assumed(self, day: date) -> bool:
        """Return whether the fingerprint of a day is an assumption of the plan."""
        return day in self._assumed

    def keep_fingerprints(self, keeps: bool) -> None:
        """Set whether committed days keep their fingerprints, as if recomputing them gave the same rows."""
        self._keeps_fingerprints = keeps

    def fingerprint(self, day: date) -> int | None:
        """Return the assumed fingerprint of a day, else the committed one, and record the read; None without either."""
        self._reads.append((self._asset, day))
        committed = self.committed_fingerprint(day)
        if self._keeps_fingerprints and committed not in (None, EXPIRED):
            return committed
        return self._assumed.get(day) or committed

    def committed_fingerprint(self, day: date) -> int | None:
        """Return the fingerprint of the rows in the table for a day; None if the day was never committed."""
        return super().fingerprint(day)

    def _open_missing(self) -> "DeltaTable":
        from deltalake import DeltaTable

        self.uri = self._placeholder
        self._folder = TableFolder(Directory(Path(self.uri)))
        return DeltaTable.create(self.uri, self.schema, partition_by=[DAY])


class PlannedLake(Lake):
    """A lake whose tables are all `PlannedTable`s."""

    _directory: TemporaryDirectory = PrivateAttr(default_factory=lambda: TemporaryDirectory(prefix="ml_assets_plan_"))
    _reads: FingerprintReads = PrivateAttr(default_factory=list)

    def take_fingerprint_reads(self) -> FingerprintReads:
        """Return the (asset, day) whose fingerprints were read since the last call, each once, in order."""
        reads = list(dict.fromkeys(self._reads))
        self._reads.clear()
        return reads

    @contextmanager
    def unchanged_results(self) -> Iterator[None]:
        """Assume within the block that committed days which the plan recomputes have the same rows, and so keep their
        fingerprints.
        """
        tables = [table for table in self._tables.values() if isinstance(table, PlannedTable)]
        for table in tables:
            table.keep_fingerprints(True)
        try:
            yield
        finally:
            for table in tables:
                table.keep_fingerprints(False)

    def _open_table(self, uri: str, schema: "pa.Schema", folder: TableFolder) -> Table:
        placeholder = f"{self._directory.name}/{len(self._tables)}"
        return PlannedTable(uri, schema, self._storage_options, folder, placeholder, self._reads)
