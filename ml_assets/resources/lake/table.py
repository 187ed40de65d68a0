"""A Delta Lake table, partitioned by day: commit days with their fingerprints, read days."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.resources.lake.delta_transactions import Transactions
from ml_assets.resources.lake.errors import DamagedDay, LakeError, readable_log
from ml_assets.resources.lake.table_files import DAY, TableFiles, as_bits, list_files, writer_properties

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

# Passports name days as they were when a model was trained; without the log of a commit the rows of a day replaced
# since cannot be found. Every look at the fingerprint of a day reads the log since the newest checkpoint.
PROPERTIES = {"delta.enableExpiredLogCleanup": "false", "delta.checkpointInterval": "10"}


def _input_fingerprint_application(day: date, held: int) -> str:
    return f"recipe:{day.isoformat()}:{held:016x}"


class Table:
    """One Delta table. Not safe across threads; other processes may write to the same table at the same time.

    A commit replaces days whole and carries the fingerprint of each as the version of the Delta transaction whose
    application is the day, so the fingerprint is always that of the data the table holds. A day that was made again
    from something else and came out the same keeps its fingerprint; a transaction of its own notes what it was made
    from last, its recipe. The name of that transaction holds the fingerprint too, so a recipe counts only as long as
    the table holds the rows that it gave.
    """

    def __init__(
        self, uri: str, schema: "pa.Schema", storage_options: dict[str, str], read_file: Callable[[str], bytes]
    ):
        """Open the table, or make it. `read_file` gives the content of a file under it, by its path there."""
        import pyarrow as pa

        self.uri, self.storage_options, self._read_file = uri, storage_options, read_file
        self.schema = pa.schema([pa.field(DAY, pa.date32()), *schema])
        self._listed: TableFiles | None = None
        with readable_log(uri):
            self._delta = self._open()
        self._transactions = Transactions(self._delta, self._read_file)
        if new := self._check_schema():
            self._add_columns(new)

    def _open(self) -> "DeltaTable":
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        options = self.storage_options
        try:
            return DeltaTable(self.uri, storage_options=options)
        except TableNotFoundError:
            return DeltaTable.create(
                self.uri,
                self.schema,
                partition_by=[DAY],
                mode="ignore",
                storage_options=options,
                configuration=PROPERTIES,
            )

    def refresh(self) -> None:
        """See what others have committed since."""
        with readable_log(self.uri):
            self._delta.update_incremental()

    def fingerprint(self, day: date) -> int | None:
        """The fingerprint of what the table holds for `day`; None when the day was never committed, EXPIRED when its
        rows were removed.
        """
        return self._transactions.get(day.isoformat())

    def is_supposed(self, day: date) -> bool:
        """Whether the fingerprint of a day is only supposed, as in the tables of a plan, so that the rows of the day
        are not yet those it is of.
        """
        return False

    def input_fingerprint(self, day: date) -> int | None:
        """The fingerprint of what the day was made from last: that of its rows, or of what gave the same rows since.
        None and EXPIRED as there.
        """
        held = self._transactions.get(day.isoformat())
        return (
            held
            if held in (None, EXPIRED)
            else self._transactions.get(_input_fingerprint_application(day, held)) or held
        )

    def holds(self, day: date, expected: int) -> bool:
        """Whether the table has the rows that a day with the fingerprint `expected` has."""
        return expected in (self._transactions.get(day.isoformat()), self.input_fingerprint(day))

    def commit(
        self,
        rows: Mapping[date, "pa.Table"],
        fingerprints: Mapping[date, int],
        metadata: Mapping[str, str] | None = None,
        same: Mapping[date, int] | None = None,
    ) -> None:
        """Replace the rows of some days, and note of others that they came out the same, all of them in one atomic
        commit.

        Args:
            rows: table by day, each with the schema given at opening, without the day column; may be empty.
            fingerprints: what the rows of each day were made from, below 2**63.
            metadata: further entries of the commit's information, such as the run.
            same: recipe of each day that keeps its rows and its fingerprint.

        Raises:
            deltalake.exceptions.CommitFailedError: when another process committed one of the days in between.
        """
        from deltalake import CommitProperties, Transaction, write_deltalake

        made = {day.isoformat(): fingerprints[day] for day in rows}
        # The fingerprint is written again, so that this commit and another of the day refuse each other.
        kept = {day: held for day in same or {} if (held := self._transactions.get(day.isoformat())) is not None}
        noted = {_input_fingerprint_application(day, held): (same or {})[day] for day, held in kept.items()}
        transactions = {**made, **{day.isoformat(): held for day, held in kept.items()}, **noted}
        names = ", ".join(f"'{day}'" for day in made)
        write_deltalake(
            self._delta,
            self._in_one_batch(rows),
            mode="overwrite" if made else "append",
            predicate=f"{DAY} in ({names})" if made else None,
            writer_properties=writer_properties(self.schema),
            commit_properties=CommitProperties(
                app_transactions=[Transaction(app_id=name, version=version) for name, version in transactions.items()],
                custom_metadata={
                    "fingerprints": json.dumps({day: f"{value:016x}" for day, value in made.items()}),
                    **(metadata or {}),
                },
            ),
        )

    def _in_one_batch(self, rows: Mapping[date, "pa.Table"]) -> "pa.Table":
        import pyarrow as pa

        parts = [
            of_day.add_column(0, DAY, pa.repeat(pa.scalar(day, pa.date32()), of_day.num_rows))
            for day, of_day in rows.items()
        ]
        # The writer hands chunks to several threads and keeps the order of rows within one only, so all days come in
        # one.
        both = pa.concat_tables(
            [self.schema.empty_table(), *(part.select(self.schema.names).cast(self.schema) for part in parts)]
        ).combine_chunks()
        for field in self._dropped:
            both = both.append_column(field, pa.nulls(both.num_rows, field.type))
        return both

    def has_rows(self, day: date, rows: "pa.Table") -> bool:
        """Whether the rows of a day are these, value by value and in this order: floating-point numbers bit by bit, and
        no values in columns that the specification no longer has. Rows that cannot be read are others.
        """
        import pyarrow as pa

        full = pa.schema([*self.schema, *self._dropped])
        names = [name for name in full.names if name != DAY]
        try:
            held = pa.concat_tables([full.empty_table().select(names), *self._files().read(day, full, names)])
        except DamagedDay:
            return False
        if held.num_rows != rows.num_rows:
            return False
        made = self._in_one_batch({day: rows}).select(names)
        return all(as_bits(held[name]).equals(as_bits(made[name])) for name in names)

    def is_damaged(self, day: date) -> bool:
        """Whether rows of a day cannot be read; reads all of them."""
        try:
            self.read([day])
        except DamagedDay:
            return True
        return False

    def expire(self, days: Sequence[date], metadata: Mapping[str, str]) -> None:
        """Remove the rows of some days in one commit, after which their fingerprint is EXPIRED. Their files stay until
        a vacuum.

        Raises:
            deltalake.exceptions.CommitFailedError: when another process committed one of the days in between.
        """
        empty = self.schema.remove(0).empty_table()
        self.commit(dict.fromkeys(days, empty), dict.fromkeys(days, EXPIRED), metadata)

    def read(self, days: Iterable[date], columns: list[str] | None = None) -> "pa.Table":
        """The rows of `days`, in the order of the days and within a day in the order in which they were committed.

        Args:
            days: partitions; those without rows add nothing.
            columns: names to read (`day` may be among them); all but `day` without it.

        Raises:
            DamagedDay: when a file that holds rows of one of them is damaged or gone.
        """
        import pyarrow as pa

        names = columns if columns is not None else [name for name in self.schema.names if name != DAY]
        empty, files = self.schema.empty_table().select(names), self._files()
        parts = [part.cast(empty.schema) for day in days for part in files.read(day, self.schema, names)]
        return pa.concat_tables([empty, *parts])

    def row_counts(self) -> dict[date, int]:
        """Rows of each day that has any, from the statistics of the table, without reading it."""
        return dict(self._files().rows)

    @property
    def delta(self) -> "DeltaTable":
        """The table itself, as far as it has been seen."""
        return self._delta

    def version(self) -> int:
        """The number of the newest commit that has been seen."""
        return self._delta.version()

    def _files(self) -> TableFiles:
        if self._listed is None or self._listed.version != self._delta.version():
            self._listed = list_files(self._delta, self.uri, self.storage_options)
        return self._listed

    def _check_schema(self) -> "list[pa.Field]":
        """The columns of the schema that the table does not have yet."""
        import pyarrow as pa

        held = pa.schema(self._delta.schema().to_arrow())
        # Columns that the spec no longer has stay in the table, empty from now on.
        self._dropped = [
            pa.field(field.name, field.type) for field in held if self.schema.get_field_index(field.name) < 0
        ]
        for field in self.schema:
            index = held.get_field_index(field.name)
            if index >= 0 and held.field(index).type != field.type:
                raise LakeError(
                    f"{self.uri}: column {field.name} is {held.field(index).type} in the table, but the spec now makes it {field.type}. "
                    "A table keeps the types of its columns: give the column another name, or remove the table's directory to make its days again."
                )
        return [field for field in self.schema if held.get_field_index(field.name) < 0]

    def _add_columns(self, columns: "list[pa.Field]") -> None:
        from deltalake.schema import Field

        self._delta.alter.add_columns([Field.from_arrow(field) for field in columns])
