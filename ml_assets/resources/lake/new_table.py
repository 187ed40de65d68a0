"""Opening a Delta table whose log may be lost, and creating one, possibly while other processes do the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ml_assets.core.operations.failures.damaged_state import GONE
from ml_assets.resources.lake.errors import DamagedLog, readable_log

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

# Logs are kept because the provenance of a model refers to days as of its training: without the log of a commit, rows
# that were replaced later cannot be found. Checkpoints are frequent because every read of a fingerprint reads the log
# since the newest one.
PROPERTIES = {"delta.enableExpiredLogCleanup": "false", "delta.checkpointInterval": "10"}


def create_table(
    uri: str,
    schema: "pa.Schema",
    storage_options: dict[str, str] | None,
    properties: Mapping[str, str | None],
    partition_by: Sequence[str] = (),
) -> "DeltaTable":
    """Create an empty table, or open the table that another process has created in the meantime.

    Args:
        uri: location of the table.
        schema: its columns.
        storage_options: options of the store.
        properties: table properties.
        partition_by: the columns by which it is partitioned.
    """
    from deltalake import CommitProperties, DeltaTable
    from deltalake.exceptions import CommitFailedError

    try:
        return DeltaTable.create(
            uri,
            schema,
            mode="ignore",
            partition_by=list(partition_by),
            storage_options=storage_options,
            configuration=properties,
            # A retry would commit the same columns again, as the next version.
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    except CommitFailedError:
        # `ignore` looks for a table before it commits, and fails if one appears in between.
        return DeltaTable(uri, storage_options=storage_options)


def open_table(
    uri: str, storage_options: dict[str, str] | None, list_files: Callable[[], Iterable[str]]
) -> "DeltaTable | None":
    """Open the newest version of a table; None if there is no table.

    Args:
        uri: URI of the table.
        storage_options: options of the store.
        list_files: lists the paths of the files under the table; delta-rs itself would block all other threads.

    Raises:
        DamagedLog: when a file of its log is damaged or missing, or the log is gone while files with rows remain.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    def open_newest() -> "DeltaTable | None":
        try:
            with readable_log(uri):
                return DeltaTable(uri, storage_options=storage_options)
        except TableNotFoundError:
            return None

    table = open_newest()
    if table is None and any(path.endswith(".parquet") for path in list_files()):
        # Rows are written after the log: either the log was lost, or another process has just created the table.
        table = open_newest()
        if table is None:
            raise DamagedLog(uri, GONE)
    return table
