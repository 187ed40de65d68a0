"""The lake for processes without permission to write: no table is created, and no conditional put is attempted."""

from typing import TYPE_CHECKING, NoReturn

from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.new_table import open_table
from ml_assets.resources.lake.table import Table
from ml_assets.resources.lake.table_folder import TableFolder

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable


class ReadOnlyTable(Table):
    """A Delta table that is only read. Columns of the schema that it does not have yet are read as nulls."""

    def commit(self, *_: object, **__: object) -> NoReturn:
        """Raise a RuntimeError.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"{self.uri} is open for reading only")

    def _open(self) -> "DeltaTable":
        return open_table(self.uri, self.storage_options, self._folder.paths) or self._open_missing()

    def _open_missing(self) -> "DeltaTable":
        raise LakeError(f"{self.uri}: there is no such table yet; materialize the asset first")

    def _add_columns(self, columns: "list[pa.Field]") -> None:
        """Do nothing: the run that writes the columns adds them."""


class ReadOnlyLake(Lake):
    """A lake whose tables are all `ReadOnlyTable`s. A table that does not exist raises a LakeError."""

    def _open_table(self, uri: str, schema: "pa.Schema", folder: TableFolder) -> Table:
        return ReadOnlyTable(uri, schema, self._storage_options, folder)

    def _check_store(self) -> None:
        """Do nothing: conditional puts matter only to writers."""
