"""A new version of a Delta table with different columns, in which every day has to be computed again."""

import logging
from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.tables.fingerprint import EXPIRED, supersede
from ml_assets.resources.lake.day_commit import commit_days
from ml_assets.resources.lake.day_files import DAY, write_file
from ml_assets.resources.lake.delta_transactions import Transactions
from ml_assets.resources.lake.errors import DamagedDay
from ml_assets.resources.lake.schema_changes import SchemaChange
from ml_assets.resources.lake.table_files import TableFiles

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction

log = logging.getLogger("ml_assets.lake")


def start_new_version(
    delta: "DeltaTable",
    schema: "pa.Schema",
    change: SchemaChange,
    files: TableFiles,
    transactions: Transactions,
    write: Callable[[str, bytes], None],
) -> None:
    """Replace the columns of a table in one commit.

    All rows stay. A renamed column keeps its values; a column whose type changed becomes null, and its values remain in
    the earlier version of the table. Every day gets a fingerprint that no inputs have, so it is computed again when it
    is needed; days that retention removed stay removed.

    Args:
        delta: the table, which loads the new version.
        schema: schema of the specification, with the day.
        change: the difference from the schema of the table.
        files: the files of the current version.
        transactions: the transactions of the current version.
        write: writes a file of the table, by its path under it.

    Raises:
        deltalake.exceptions.CommitFailedError: when another process committed in between.
    """
    import pyarrow as pa

    complete = pa.schema([*schema, *change.dropped])
    columns = ", ".join(f"{name} ({field.name}, {field.type})" for name, field in change.replaced.items())
    changes = ", ".join(
        f"{name} was {field.type}" if name == field.name else f"{name} was {field.name} ({field.type})"
        for name, field in change.replaced.items()
    )
    log.warning("%s: columns of the table changed, so its days are made again: %s", files.uri, changes)
    days = {day: version for day, version in transactions.days().items() if version != EXPIRED}
    superseded = {day: supersede(version, str(complete)) for day, version in days.items()}
    written = dict(_write_days(complete, change, files, write))
    commit_days(delta, complete, written, superseded, {}, {"replaced_columns": columns})


def _write_days(
    schema: "pa.Schema", change: SchemaChange, files: TableFiles, write: Callable[[str, bytes], None]
) -> "Iterator[tuple[date, AddAction]]":
    """Write a file for each day, one at a time, because a table may be larger than memory."""
    import pyarrow as pa

    names = [name for name in schema.names if name != DAY]
    for day in sorted(files.paths):
        try:
            parts = list(files.read(day, schema, names, _old_names(schema, change)))
        except DamagedDay as damaged:
            log.warning("%s It is not in the new version of the table.", damaged)
            continue
        yield day, write_file(write, pa.concat_tables(parts), day)


def _old_names(schema: "pa.Schema", change: SchemaChange) -> dict[str, str | None]:
    """Return the name of each replaced column in the files; None if its type is different."""
    return {
        name: field.name if field.type == schema.field(name).type else None for name, field in change.replaced.items()
    }
