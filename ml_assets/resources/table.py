"""A Delta Lake table, partitioned by day: commit days with their fingerprints, read days."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.fingerprint import EXPIRED
from ml_assets.resources.table_files import DAY, TableFiles, list_files, writer_properties
from ml_assets.resources.transactions import Transactions

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

# Passports name days as they were when a model was trained; without the log of a commit the rows of a day replaced since cannot be found. Every look
# at the fingerprint of a day reads the log since the newest checkpoint.
PROPERTIES = {"delta.enableExpiredLogCleanup": "false", "delta.checkpointInterval": "10"}


class LakeError(Exception):
    """A table of the lake cannot be used as asked; the message says which and what to do."""


class Table:
    """One Delta table. Not safe across threads; other processes may write to the same table at the same time.

    A commit replaces days whole and carries the fingerprint of each as the version of the Delta transaction whose application is the day, so
    the fingerprint is always that of the data the table holds.
    """

    def __init__(self, uri: str, schema: "pa.Schema", storage_options: dict[str, str], read_file: Callable[[str], bytes]):
        """Open the table, or make it. `read_file` gives the content of a file under it, by its path there."""
        import pyarrow as pa

        self.uri, self.storage_options, self._read_file = uri, storage_options, read_file
        self.schema = pa.schema([pa.field(DAY, pa.date32()), *schema])
        self._listed: TableFiles | None = None
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
            return DeltaTable.create(self.uri, self.schema, partition_by=[DAY], mode="ignore", storage_options=options, configuration=PROPERTIES)

    def refresh(self) -> None:
        """See what others have committed since."""
        self._delta.update_incremental()

    def fingerprint(self, day: date) -> int | None:
        """The fingerprint of what the table holds for `day`; None when the day was never committed, EXPIRED when its rows were removed."""
        return self._transactions.get(day.isoformat())

    def is_supposed(self, day: date) -> bool:
        """Whether the fingerprint of a day is only supposed, as in the tables of a plan, so that the rows of the day are not yet those it is of."""
        return False

    def commit(self, rows: Mapping[date, "pa.Table"], fingerprints: Mapping[date, int], metadata: Mapping[str, str] | None = None) -> None:
        """Replace the rows of some days, all of them in one atomic commit.

        Args:
            rows: table by day, each with the schema given at opening, without the day column; may be empty.
            fingerprints: what the rows of each day were made from, below 2**63.
            metadata: further entries of the commit's information, such as the run.

        Raises:
            deltalake.exceptions.CommitFailedError: when another process committed one of the days in between.
        """
        import pyarrow as pa
        from deltalake import CommitProperties, Transaction, write_deltalake

        parts = [of_day.add_column(0, DAY, pa.repeat(pa.scalar(day, pa.date32()), of_day.num_rows)) for day, of_day in rows.items()]
        names = ", ".join(f"'{day.isoformat()}'" for day in rows)
        # The writer hands chunks to several threads and keeps the order of rows within one only, so all days come in one.
        both = pa.concat_tables([part.select(self.schema.names).cast(self.schema) for part in parts]).combine_chunks()
        for field in self._dropped:
            both = both.append_column(field, pa.nulls(both.num_rows, field.type))
        write_deltalake(
            self._delta,
            both,
            mode="overwrite",
            predicate=f"{DAY} in ({names})",
            writer_properties=writer_properties(self.schema),
            commit_properties=CommitProperties(
                app_transactions=[Transaction(app_id=day.isoformat(), version=fingerprints[day]) for day in rows],
                custom_metadata={"fingerprints": json.dumps({day.isoformat(): f"{fingerprints[day]:016x}" for day in rows}), **(metadata or {})},
            ),
        )

    def expire(self, days: Sequence[date], metadata: Mapping[str, str]) -> None:
        """Remove the rows of some days in one commit, after which their fingerprint is EXPIRED. Their files stay until a vacuum.

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
        self._dropped = [pa.field(field.name, field.type) for field in held if self.schema.get_field_index(field.name) < 0]
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
