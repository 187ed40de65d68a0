"""The release ledger: an append-only Delta table that records who moved which alias, when and why. Of two concurrent
releases one wins.
"""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from ml_assets.core.release.ledger_rows import fold, moves_of, rows_of
from ml_assets.core.release.release_state import Move, Release
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.new_table import create_table
from ml_assets.resources.lake.table import PROPERTIES

if TYPE_CHECKING:
    from deltalake import DeltaTable

LEDGER = "release_ledger"
APPLICATION = "release"


class LedgerConflict(Exception):
    """Another release was made since the state was read on which a release is based; nothing was written."""


class Ledger:
    """The ledger of a model, at `<lake>/<model>/release_ledger`. Not safe across threads; other processes may release
    at the same time.

    A release is one commit with a transaction of the application `release` whose version is the number of the release,
    based on the version of the table in which the state was read. Every commit is a release, so no commit is ever
    retried on top of another one.
    """

    def __init__(self, lake: Lake, model: str):
        self._lake = lake
        self._model = model
        self._table: DeltaTable | None = None
        self._rows_by_file: dict[str, list[dict[str, Any]]] = {}

    def rows(self) -> list[dict[str, Any]]:
        """Return all current rows, with the columns of LEDGER_ROWS, in the order of their releases; none before the
        first release.

        Costs one read of the log, and one read of each file (of one release) that this object has not read yet.
        """
        self._refresh()
        return self._rows()

    def moves(self) -> list[Move]:
        """Return all releases up to now, in order."""
        return moves_of(self.rows())

    def releases(self) -> list[tuple[date, Release]]:
        """Return the state after each release up to now, in order, with the first day of predictions that it applies
        to.
        """
        return fold(self.rows())

    def latest(self) -> Release:
        """Return what is live now."""
        self._refresh()
        return self._latest()

    def number(self) -> int:
        """Return the number of the last release, 0 before the first. It is read from the log of the table, however
        many files the table has.
        """
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        uri, options = self._lake.location(self._model, LEDGER)
        try:
            return DeltaTable(uri, storage_options=options).transaction_version(APPLICATION) or 0
        except TableNotFoundError:
            return 0

    def append(self, before: Release, move: Move) -> None:
        """Record a release, all its rows in one atomic commit.

        Args:
            before: the state on which the release is based.
            move: the release.

        Raises:
            LedgerConflict: when something else is live by now.
            ValueError: when `move` is not the result of its action on `before`.
            LakeError: when the lake cannot be used.
        """
        rows = rows_of(before, move, datetime.now(UTC))
        table = self._refresh() or self._create()
        if self._latest() != before:
            raise LedgerConflict(self._released_meanwhile(before))
        self._commit(table, rows, before)

    def _commit(self, table: "DeltaTable", rows: list[dict[str, Any]], before: Release) -> None:
        import pyarrow as pa
        from deltalake import CommitProperties, Transaction, write_deltalake
        from deltalake.exceptions import CommitFailedError

        from ml_assets.core.tables.release_schemas import LEDGER_ROWS_SCHEMA

        transaction = Transaction(app_id=APPLICATION, version=rows[0]["release"])
        try:
            write_deltalake(
                table,
                pa.Table.from_pylist(rows, schema=LEDGER_ROWS_SCHEMA),
                mode="append",
                commit_properties=CommitProperties(app_transactions=[transaction], max_commit_retries=0),
            )
        except CommitFailedError as error:
            # The store may have accepted the commit and the response been lost; the client's retry then conflicts with
            # its own commit.
            if not all(row in self.rows() for row in rows):
                raise LedgerConflict(self._released_meanwhile(before)) from error

    def _rows(self) -> list[dict[str, Any]]:
        return sorted((row for rows in self._rows_by_file.values() for row in rows), key=lambda row: row["release"])

    def _latest(self) -> Release:
        releases = fold(self._rows())
        return releases[-1][1] if releases else Release()

    def _released_meanwhile(self, before: Release) -> str:
        return (
            f"{self._model}: another release was made since release {before.number}, on which this one is based; "
            "this one was not made"
        )

    def _refresh(self) -> "DeltaTable | None":
        """Return the current table, with its rows read; None if there is no table yet."""
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        if self._table is None:
            uri, options = self._lake.location(self._model, LEDGER)
            try:
                self._table = DeltaTable(uri, storage_options=options)
            except TableNotFoundError:
                return None
        else:
            self._table.update_incremental()
        self._read_new(self._table)
        return self._table

    def _create(self) -> "DeltaTable":
        from ml_assets.core.tables.release_schemas import LEDGER_ROWS_SCHEMA

        uri, options = self._lake.location(self._model, LEDGER)
        properties = {**PROPERTIES, "delta.appendOnly": "true"}
        self._table = create_table(uri, LEDGER_ROWS_SCHEMA, options, properties)
        self._read_new(self._table)
        return self._table

    def _read_new(self, table: "DeltaTable") -> None:
        """Read the rows of new files; files of an append-only table never change, so each is read once."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from ml_assets.core.tables.arrow_memory import open_content
        from ml_assets.core.tables.release_schemas import LEDGER_ROWS_SCHEMA

        for path in pa.table(table.get_add_actions(flatten=True))["path"].to_pylist():
            if path not in self._rows_by_file:
                content = self._lake.files.read(f"{self._model}/{LEDGER}/{path}")
                self._rows_by_file[path] = pq.read_table(open_content(content)).cast(LEDGER_ROWS_SCHEMA).to_pylist()
