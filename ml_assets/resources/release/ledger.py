"""The release ledger: an append-only Delta table that records who moved which alias, when and why. Of two concurrent
releases one wins.
"""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ml_assets.core.operations.failures.damaged_state import GONE, DamagedState
from ml_assets.core.operations.failures.damaged_state import LEDGER as LEDGER_FILE
from ml_assets.core.release.ledger_rows import fold, moves_of, rows_of
from ml_assets.core.release.release_state import Move, Release
from ml_assets.resources.lake.day_files import DamagedFile, read_rows, write_file
from ml_assets.resources.lake.delta_transactions import Transactions
from ml_assets.resources.lake.errors import LakeError, is_damage, readable_log
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.new_table import PROPERTIES, create_table, open_table
from ml_assets.resources.lake.table_folder import TableFolder

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

LEDGER = "release_ledger"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
APPLICATION = "release"


class LedgerConflict(Exception):
    """Another release was made after the state was read that this release is based on; nothing was written."""


class DamagedLedger(LakeError, DamagedState):
    """A file of the ledger is damaged or gone. Its releases are recorded nowhere else.

    Args:
        uri: URI of the ledger.
        path: path of the file in it.
        reason: how it is damaged; `GONE` when it is missing.
    """

    def __init__(self, uri: str, path: str, reason: str):
        super().__init__(LEDGER_FILE.explain(f"{uri}/{path}", reason, uri.split("/")[-2], table=uri))


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
        self._transactions: Transactions | None = None
        self._rows_by_file: dict[str, list[dict[str, Any]]] = {}
        self._folder = TableFolder(lake.files, f"{model}/{LEDGER}")

    def rows(self) -> list[dict[str, Any]]:
        """Return all current rows, with the columns of LEDGER_ROWS, in the order of their releases; none before the
        first release.

        This reads the log once, and each file (of one release) that this object has not read yet.
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
        """Return the current release."""
        self._refresh()
        return self._latest()

    def number(self) -> int:
        """Return the number of the last release, 0 before the first. It is read from the log of the table alone."""
        table = open_table(*self._lake.location(self._model, LEDGER), self._folder.paths)
        return table.transaction_version(APPLICATION) or 0 if table is not None else 0

    def append(self, before: Release, move: Move) -> None:
        """Record a release, all its rows in one atomic commit.

        Args:
            before: the state on which the release is based.
            move: the release.

        Raises:
            LedgerConflict: when another release was made in the meantime.
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
        from deltalake import CommitProperties, Transaction
        from deltalake.exceptions import CommitFailedError

        from ml_assets.core.tables.release_schemas import LEDGER_ROWS_SCHEMA

        transaction = Transaction(app_id=APPLICATION, version=rows[0]["release"])
        written = write_file(self._folder.write, pa.Table.from_pylist(rows, schema=LEDGER_ROWS_SCHEMA))
        try:
            table.create_write_transaction(
                [written],
                mode="append",
                schema=table.schema(),
                commit_properties=CommitProperties(app_transactions=[transaction], max_commit_retries=0),
            )
        except CommitFailedError as error:
            # The store may have accepted the commit although the response was lost; the client's retry then conflicts
            # with its own commit.
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
        uri, options = self._lake.location(self._model, LEDGER)
        if self._table is None:
            self._table = open_table(uri, options, self._folder.paths)
            if self._table is None:
                return None
            self._transactions = Transactions(self._table, self._folder.read, uri)
        else:
            with readable_log(uri):
                self._table.update_incremental()
        with readable_log(uri):
            self._read_new(self._table)
        return self._table

    def _create(self) -> "DeltaTable":
        from ml_assets.core.tables.release_schemas import LEDGER_ROWS_SCHEMA

        uri, options = self._lake.location(self._model, LEDGER)
        properties = {**PROPERTIES, "delta.appendOnly": "true"}
        self._table = create_table(uri, LEDGER_ROWS_SCHEMA, options, properties)
        self._transactions = Transactions(self._table, self._folder.read, uri)
        self._read_new(self._table)
        return self._table

    def _read_new(self, table: "DeltaTable") -> None:
        """Read the rows of new files; files of an append-only table never change, so each is read once.

        Raises:
            DamagedLedger: when a file is missing, does not have the content that was written, or a release is in no
                file.
        """
        # Reads the new commits, which raises an error if one of them is cut off.
        if self._transactions is not None:
            self._transactions.get(APPLICATION)
        # Reads delta-rs's own Arrow table: converting it to a pyarrow table would load pandas, as a cast would.
        paths = table.get_add_actions(flatten=True).column("path").to_pylist()
        for path in paths:
            if path not in self._rows_by_file:
                self._rows_by_file[path] = self._read_file(path)
        self._check_releases(table, sorted({row["release"] for row in self._rows()}))

    def _read_file(self, path: str) -> list[dict[str, Any]]:
        from ml_assets.core.tables.release_schemas import LEDGER_ROWS_SCHEMA

        try:
            rows = read_rows(self._folder.read(path), path, None, None)
            return _to_rows(rows if rows.schema.equals(LEDGER_ROWS_SCHEMA) else rows.cast(LEDGER_ROWS_SCHEMA))
        except DamagedFile as error:
            raise DamagedLedger(self._uri(), path, str(error)) from error
        except OSError as error:
            if not is_damage(error):
                raise
            raise DamagedLedger(self._uri(), path, GONE) from error

    def _check_releases(self, table: "DeltaTable", releases: list[int]) -> None:
        """Check that no release is missing, which a damaged line of the log would hide."""
        first, is_complete = releases[0] if releases else 1, len(releases) == table.version()
        if is_complete and releases == list(range(first, first + len(releases))):
            return
        # A lost ledger continues after the last release known to MLflow; from then on each commit has its release.
        last = table.transaction_version(APPLICATION) or 0
        missing = sorted(set(range(first if is_complete else 1, last + 1)) - set(releases))
        operations = {commit["version"]: commit.get("operation") for commit in table.history()}
        if unknown := sorted(set(range(table.version() + 1)) - operations.keys()):
            raise DamagedLedger(self._uri(), f"_delta_log/{unknown[0]:020d}.json", "it says nothing")
        if missing or list(operations.values()).count("WRITE") != len(releases):
            numbers = ", ".join(map(str, missing)) or "one of the commits"
            raise DamagedLedger(self._uri(), "_delta_log", f"it does not name the file of release {numbers}")

    def _uri(self) -> str:
        return f"{self._lake.uri.rstrip('/')}/{self._model}/{LEDGER}"


def _to_rows(table: "pa.Table") -> list[dict[str, Any]]:
    """Convert rows as `to_pylist` does, which would load pandas for times with a zone; times in the ledger are
    in UTC.
    """
    import pyarrow as pa

    columns = []
    for column in table.columns:
        if pa.types.is_timestamp(column.type):
            numbers = [number for chunk in column.chunks for number in chunk.view(pa.int64()).to_pylist()]
            columns.append([None if number is None else EPOCH + timedelta(microseconds=number) for number in numbers])
        else:
            columns.append(column.to_pylist())
    return [dict(zip(table.column_names, values, strict=True)) for values in zip(*columns, strict=True)]
