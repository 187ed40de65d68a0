"""The creation of a Delta table, possibly at the same time as by other processes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

# Logs are kept because the provenance of a model refers to days as they were when it was trained: without the log of a
# commit, rows that were replaced since cannot be found. Checkpoints are frequent because every read of a fingerprint
# reads the log since the newest one.
PROPERTIES = {"delta.enableExpiredLogCleanup": "false", "delta.checkpointInterval": "10"}


def create_table(
    uri: str,
    schema: "pa.Schema",
    storage_options: dict[str, str] | None,
    properties: Mapping[str, str | None],
    partition_by: Sequence[str] = (),
) -> "DeltaTable":
    """Create an empty table, or open the one that another process has created meanwhile.

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
        # `ignore` looks for a table before it commits, and fails if there is one by then.
        return DeltaTable(uri, storage_options=storage_options)
