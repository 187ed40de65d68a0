"""The lake for readers that hold no right to write: nothing is made, and nothing is tried out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable


class ReadOnlyTable(Table):
    """A Delta table that is only read."""

    def commit(self, *_: object, **__: object) -> NoReturn:
        """Refused.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"{self.uri} is open to be read only")

    def _open(self) -> "DeltaTable":
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        try:
            return DeltaTable(self.uri, storage_options=self.storage_options)
        except TableNotFoundError as error:
            raise LakeError(f"{self.uri}: there is no such table yet; materialise the asset first") from error

    def _add_columns(self, columns: "list[pa.Field]") -> None:
        """Left to the run that writes them; reading gives them without values."""


class ReadOnlyLake(Lake):
    """A lake whose tables are all `ReadOnlyTable`s. A table that does not exist is a LakeError."""

    def _new_table(self, uri: str, schema: "pa.Schema", read_file: Callable[[str], bytes]) -> Table:
        return ReadOnlyTable(uri, schema, self._storage_options, read_file)

    def _check_store(self) -> None:
        """Conditional puts are for those who write."""
