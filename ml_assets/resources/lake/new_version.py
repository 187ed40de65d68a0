"""A new version of a Delta table with other columns, in which every day has to be made again."""

import logging
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ml_assets.core.tables.fingerprint import EXPIRED, supersede
from ml_assets.resources.lake.delta_transactions import Transactions
from ml_assets.resources.lake.errors import DamagedDay
from ml_assets.resources.lake.schema_changes import SchemaChange
from ml_assets.resources.lake.table_files import TableFiles, writer_properties

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

log = logging.getLogger("ml_assets.lake")


def start_new_version(
    delta: "DeltaTable", schema: "pa.Schema", change: SchemaChange, files: TableFiles, transactions: Transactions
) -> None:
    """Replace the columns of a table in one commit.

    All rows stay. A column that is renamed keeps its values; one of another type is null, and its values are in the
    earlier version of the table. Every day gets a fingerprint that no inputs have, so it is made again when it is
    needed; days that retention removed stay removed.

    Args:
        delta: the table; loads the new version.
        schema: schema of the specification, with the day.
        change: its difference to that of the table.
        files: the files of the present version.
        transactions: those of the present version.

    Raises:
        deltalake.exceptions.CommitFailedError: when another process committed in between.
    """
    import pyarrow as pa
    from deltalake import CommitProperties, Transaction, write_deltalake

    complete = pa.schema([*schema, *change.dropped])
    columns = ", ".join(f"{name} ({field.name}, {field.type})" for name, field in change.replaced.items())
    log.warning("%s: a new version of the table replaces columns, its days are made again: %s", files.uri, columns)
    days = {day: version for day, version in transactions.days().items() if version != EXPIRED}
    # The rows pass through a file: the writer must not call Python, and a table may be larger than the memory.
    with TemporaryDirectory(prefix="ml_assets_new_version_") as directory:
        path = f"{directory}/rows.arrow"
        with pa.ipc.new_stream(path, complete) as stream:
            for batch in _rows(complete, change, files):
                stream.write_batch(batch)
        write_deltalake(
            delta,
            pa.ipc.open_stream(pa.memory_map(path)),
            mode="overwrite",
            schema_mode="overwrite",
            writer_properties=writer_properties(complete),
            commit_properties=CommitProperties(
                app_transactions=[
                    Transaction(app_id=day.isoformat(), version=supersede(version, str(complete)))
                    for day, version in days.items()
                ],
                custom_metadata={"replaced_columns": columns},
            ),
        )


def _rows(schema: "pa.Schema", change: SchemaChange, files: TableFiles) -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa

    # Each day is one batch, because the writer keeps the order of rows only within a batch.
    yield pa.RecordBatch.from_pylist([], schema)
    for day in sorted(files.paths):
        try:
            parts = list(files.read(day, schema, schema.names, _old_names(schema, change)))
        except DamagedDay as damaged:
            log.warning("%s It is not in the new version of the table.", damaged)
            continue
        yield from pa.concat_tables(parts).combine_chunks().to_batches()


def _old_names(schema: "pa.Schema", change: SchemaChange) -> dict[str, str | None]:
    """Return the name in the files of each replaced column, None where its type is another one."""
    return {
        name: field.name if field.type == schema.field(name).type else None for name, field in change.replaced.items()
    }
