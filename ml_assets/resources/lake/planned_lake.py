"""The lake as it will be: fingerprints can be supposed in it, what was asked for is noted, and nothing of it is
written.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn

from pydantic import PrivateAttr

from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.lake.table_files import DAY
from ml_assets.resources.storage.directory import Directory

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

Asked = list[tuple[str, date]]


class PlannedTable(Table):
    """A Delta table that is only read. One that does not exist is stood in for by an empty one in a temporary
    directory.
    """

    def __init__(
        self,
        uri: str,
        schema: "pa.Schema",
        storage_options: dict[str, str],
        read_file: Callable[[str], bytes],
        stand_in: str,
        asked: Asked,
    ):
        self._stand_in, self._asked, self._asset = stand_in, asked, uri.rsplit("/", 1)[-1]
        self._supposed: dict[date, int] = {}
        self._same = False
        super().__init__(uri, schema, storage_options, read_file)

    def suppose(self, day: date, fingerprint: int) -> None:
        """From now on the day has this fingerprint for whoever asks."""
        self._supposed[day] = fingerprint

    def is_supposed(self, day: date) -> bool:
        """Whether the plan supposes the day."""
        return day in self._supposed

    def suppose_same(self, same: bool) -> None:
        """Whether days that were there before are to have the fingerprint that they have, as if they came out the same
        when they are made again.
        """
        self._same = same

    def fingerprint(self, day: date) -> int | None:
        """The supposed fingerprint of a day, else the committed one; None without either. That it was asked for is
        noted.
        """
        self._asked.append((self._asset, day))
        committed = self.committed(day)
        return committed if self._same and committed not in (None, EXPIRED) else self._supposed.get(day) or committed

    def committed(self, day: date) -> int | None:
        """The fingerprint of what the table holds for a day; None when the day was never committed."""
        return super().fingerprint(day)

    def commit(self, *_: object, **__: object) -> NoReturn:
        """Refused.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"{self.uri}: a plan writes nothing")

    def _open(self) -> "DeltaTable":
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        try:
            return DeltaTable(self.uri, storage_options=self.storage_options)
        except TableNotFoundError:
            self.uri = self._stand_in
            self._read_file = Directory(Path(self.uri)).read
            return DeltaTable.create(self.uri, self.schema, partition_by=[DAY])

    def _add_columns(self, columns: "list[pa.Field]") -> None:
        """Left to the run that writes them; reading gives them without values."""


class PlannedLake(Lake):
    """A lake whose tables are all `PlannedTable`s."""

    _directory: TemporaryDirectory = PrivateAttr(default_factory=lambda: TemporaryDirectory(prefix="ml_assets_plan_"))
    _asked: Asked = PrivateAttr(default_factory=list)

    def take_asked(self) -> Asked:
        """The (asset, day) whose fingerprints were asked for since the last call, each once, in order."""
        asked = list(dict.fromkeys(self._asked))
        self._asked.clear()
        return asked

    @contextmanager
    def made_the_same(self) -> Iterator[None]:
        """Within it, days that were there before and are supposed to be made again come out the same, and keep their
        fingerprint.
        """
        tables = [table for table in self._tables.values() if isinstance(table, PlannedTable)]
        for table in tables:
            table.suppose_same(True)
        try:
            yield
        finally:
            for table in tables:
                table.suppose_same(False)

    def _new_table(self, uri: str, schema: "pa.Schema", read_file: Callable[[str], bytes]) -> Table:
        stand_in = f"{self._directory.name}/{len(self._tables)}"
        return PlannedTable(uri, schema, self._storage_options, read_file, stand_in, self._asked)
