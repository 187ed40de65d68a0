"""A Delta table partitioned by day: committing days with their fingerprints, and reading days."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.resources.lake.day_commit import WrittenRows, commit_days, fit_rows, with_retries, write_days
from ml_assets.resources.lake.day_files import DAY, files_transaction
from ml_assets.resources.lake.delta_transactions import Transactions
from ml_assets.resources.lake.errors import DamagedDay, readable_log
from ml_assets.resources.lake.new_table import PROPERTIES, create_table, open_table
from ml_assets.resources.lake.new_version import start_new_version
from ml_assets.resources.lake.schema_changes import compare_schemas
from ml_assets.resources.lake.table_files import TableFiles, fit_schema, list_files
from ml_assets.resources.lake.table_folder import TableFolder

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable


class Table:
    """One Delta table. Not safe across threads; other processes may write to the same table at the same time.

    A commit replaces complete days and carries the fingerprint of each as the version of the Delta transaction whose
    application is the day, so the fingerprint is always that of the rows in the table. A day that was recomputed from
    other inputs with the same result keeps its fingerprint; a second transaction records the input fingerprint, which
    is the fingerprint of the inputs that it was last computed from. The name of that transaction contains the
    fingerprint of the rows, so an input fingerprint is valid only while the table has the rows that it belongs to. A
    third transaction, `files:<day>`, records the list of the files of the day, whose names have the digests of their
    contents.

    Args:
        uri: URI of the table.
        schema: schema of the table without the day column.
        storage_options: options of delta-rs.
        folder: the files of the table.
    """

    def __init__(self, uri: str, schema: "pa.Schema", storage_options: dict[str, str], folder: TableFolder):
        import pyarrow as pa

        self.uri = uri
        self.storage_options = storage_options
        self._folder = folder
        self.schema = pa.schema([pa.field(DAY, pa.date32()), *schema])
        self._table_files: TableFiles | None = None
        self._row_counts: dict[date, int] | None = None
        with readable_log(uri):
            self._delta = self._open()
            self._compare_schemas()
        self._transactions = Transactions(self._delta, self._folder.read, uri)
        if self._change.missing and not self._change.replaced:
            self._add_columns(self._change.missing)

    def _open(self) -> "DeltaTable":
        create = partial(create_table, self.uri, self.schema, self.storage_options, PROPERTIES, [DAY])
        return open_table(self.uri, self.storage_options, self._folder.paths) or create()

    def refresh(self) -> None:
        """Load commits that other processes have made since."""
        version = self._delta.version()
        with readable_log(self.uri):
            self._delta.update_incremental()
            if self._delta.version() != version:
                self._compare_schemas()

    def _compare_schemas(self) -> None:
        import pyarrow as pa

        self._change = compare_schemas(self.schema, pa.schema(self._delta.schema().to_arrow()))

    def fingerprint(self, day: date) -> int | None:
        """Return the fingerprint of the rows of a day; None if the day was never committed, EXPIRED if its rows were
        removed.
        """
        return self._transactions.get(day.isoformat())

    def is_assumed(self, day: date) -> bool:
        """Return whether the fingerprint of a day is assumed, as in a plan; the table then lacks rows of the day."""
        return False

    def is_committed(self, day: date) -> bool:
        """Return whether a day was committed, from any inputs, and its rows were not removed."""
        return self.fingerprint(day) not in (None, EXPIRED)

    def input_fingerprint(self, day: date) -> int | None:
        """Return the fingerprint of the inputs that a day was last computed from: that of its rows, or a later one that
        gave the same rows. None and EXPIRED mean the same as for `fingerprint`.
        """
        return self._transactions.fingerprints(day)[1]

    def holds(self, day: date, expected: int) -> bool:
        """Return whether the rows of a day have the fingerprint `expected`."""
        return expected in (self._transactions.get(day.isoformat()), self.input_fingerprint(day))

    def commit(
        self,
        rows: "Mapping[date, pa.Table | WrittenRows]",
        fingerprints: Mapping[date, int],
        metadata: Mapping[str, str] | None = None,
        same: Mapping[date, int] | None = None,
    ) -> None:
        """Replace the rows of some days in one atomic commit, which also records for other days that recomputing them
        gave the same rows.

        Args:
            rows: rows by day, each with the schema of the table without the day column, or as `write` returned them;
                may be empty.
            fingerprints: fingerprint of each of these days, below 2**63.
            metadata: further entries of the commit info, such as the run.
            same: input fingerprint of each day that keeps its rows and its fingerprint.

        Raises:
            deltalake.exceptions.CommitFailedError: when another process committed one of the days in between.
        """
        self._fit_columns()
        others = self._transactions.record_inputs(same or {})
        fitted = {day: fit_rows(self.schema, self._change.dropped, day_rows) for day, day_rows in rows.items()}
        replaced = {day: fingerprints[day] for day in rows}
        recorded = json.dumps({day.isoformat(): f"{value:016x}" for day, value in replaced.items()})
        files = write_days(self._folder.write, fitted)
        days, information = [*rows, *(same or {})], {"fingerprints": recorded, **(metadata or {})}
        state = self._state(days)
        commit = partial(commit_days, self._delta, None, files, replaced, others, information)
        with_retries(commit, is_unchanged=lambda: self._state(days) == state, refresh=self.refresh)

    def _state(self, days: Sequence[date]) -> list:
        """Return the columns and the fingerprints of days in the open version."""
        return [self._delta.schema().to_json(), *map(self._transactions.fingerprints, days)]

    @property
    def has_outdated_columns(self) -> bool:
        """Whether the next commit replaces columns."""
        return bool(self._change.replaced)

    def _fit_columns(self) -> None:
        # Columns are replaced only when a day is committed: reading must not change a table, nor must a mistake in a
        # specification that is never run.
        if self._change.replaced:
            start_new_version(
                self._delta, self.schema, self._change, self._files(), self._transactions, self._folder.write
            )
        elif self._change.missing:
            self._add_columns(self._change.missing)
        else:
            return
        self._compare_schemas()

    def write(self, day: date, rows: "pa.Table") -> WrittenRows:
        """Write the rows of a day to a file that another process may commit; until then nobody reads them.

        The table must not have outdated columns.
        """
        is_committed = self.fingerprint(day) is not None and self.has_rows(day, rows)
        files = write_days(self._folder.write, {day: fit_rows(self.schema, self._change.dropped, rows)})
        return WrittenRows(rows.num_rows, files.get(day), is_committed)

    def has_rows(self, day: date, rows: "pa.Table | WrittenRows") -> bool:
        """Return whether the rows of a day equal the given ones, value by value and in this order.

        Floating-point numbers are compared bit by bit, and columns that the specification no longer has must be null.
        Rows that cannot be read are not equal.
        """
        import pyarrow as pa

        if isinstance(rows, WrittenRows):
            return rows.is_committed
        if self._change.replaced:
            return False
        try:
            self._check_lists([day])
            expected = fit_rows(self.schema, self._change.dropped, rows)
            return self._files().has_rows(day, pa.schema([*self.schema, *self._change.dropped]), expected)
        except DamagedDay:
            return False

    def damage(self, day: date) -> DamagedDay | None:
        """Read all rows of a day; return the damage if any cannot be read. A day whose columns are to be replaced is
        computed again in any case, and is not read.
        """
        try:
            self.read([] if self._change.replaced else [day])
        except DamagedDay as damage:
            return damage
        return None

    def days(self) -> list[date]:
        """Return the days that have or had rows, without those that retention removed, ascending."""
        committed = {day for day, fingerprint in self._transactions.days().items() if fingerprint != EXPIRED}
        return sorted(committed | set(self._files().paths))

    def expire(self, days: Sequence[date], metadata: Mapping[str, str]) -> None:
        """Remove the rows of some days in one commit, after which their fingerprint is EXPIRED. Their files stay until
        a vacuum.

        Raises:
            deltalake.exceptions.CommitFailedError: when another process committed one of the days in between.
        """
        empty = self.schema.remove(0).empty_table()
        self.commit(dict.fromkeys(days, empty), dict.fromkeys(days, EXPIRED), metadata)

    def read(self, days: Iterable[date], columns: list[str] | None = None) -> "pa.Table":
        """Return the rows of `days`, in the order of the days and within a day in the order of their commit.

        Args:
            days: partitions; days without rows add nothing.
            columns: names of the columns to read, which may include `day`; all but `day` by default.

        Raises:
            DamagedDay: when a file that contains rows of one of the days is damaged or gone.
            LakeError: when a column has another type or spelling in the table, so the days have to be computed again.
        """
        import pyarrow as pa

        names = columns if columns is not None else [name for name in self.schema.names if name != DAY]
        schema, files, days = pa.schema([self.schema.field(name) for name in names]), self._files(), list(days)
        if any(day in files.paths for day in days):
            self._change.refuse_replaced(self.uri, self.schema, names)
        self._check_lists(days)
        parts = [fit_schema(part, schema) for day in days for part in files.read(day, self.schema, names)]
        return pa.concat_tables([pa.Table.from_batches([], schema), *parts])

    def row_counts(self) -> dict[date, int]:
        """Return the number of rows of each day that has any, from the log of the table. Files are read only for days
        whose lines in the log are damaged.
        """
        files = self._files()
        if self._row_counts is None:
            self._row_counts = files.count_rows(lambda day: self._transactions.get(files_transaction(day)))
        return dict(self._row_counts)

    @property
    def delta(self) -> "DeltaTable":
        """The Delta table, at the version that was loaded last."""
        return self._delta

    def version(self) -> int:
        """Return the number of the newest commit that was loaded."""
        return self._delta.version()

    def _files(self) -> TableFiles:
        if self._table_files is None or self._table_files.version != self._delta.version():
            with readable_log(self.uri):
                self._table_files, self._row_counts = list_files(self._delta, self.uri, self._folder.read), None
        return self._table_files

    def _check_lists(self, days: Iterable[date]) -> None:
        for day in days:
            if self._transactions.get(day.isoformat()) != EXPIRED:
                self._files().check_list(day, self._transactions.get(files_transaction(day)))

    def _add_columns(self, columns: "list[pa.Field]") -> None:
        from deltalake.schema import Field

        self._delta.alter.add_columns([Field.from_arrow(field) for field in columns])
