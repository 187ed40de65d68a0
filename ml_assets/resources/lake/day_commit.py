"""The commit of the files of days to a Delta table, with transactions that record the list of files of each day."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.resources.lake.day_files import DAY, day_of_path, files_transaction, list_digest, rows_of, write_file

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction, RemoveAction

COMMIT_ATTEMPTS = 15


def fit_rows(
    schema: "pa.Schema", dropped: "Iterable[pa.Field]", rows: "pa.Table | WrittenRows"
) -> "pa.Table | WrittenRows":
    """Fit the rows of a day to the columns of a table, with nulls in dropped columns; rows already written are returned
    unchanged.

    Args:
        schema: schema of the specification, with the day.
        dropped: columns that only the table in the lake has.
        rows: the rows, without the day column.
    """
    import pyarrow as pa

    if isinstance(rows, WrittenRows):
        return rows
    columns = pa.schema([field for field in schema if field.name != DAY])
    fitted = rows.select(columns.names).cast(columns)
    for field in dropped:
        fitted = fitted.append_column(field, pa.nulls(fitted.num_rows, field.type))
    return fitted


@dataclass(frozen=True)
class WrittenRows:
    """The rows of a day in a file that is not part of its table until it is committed, possibly by another process.

    num_rows: number of rows. file: the action that adds the file; None without rows. is_committed: whether the table
    had the same rows when they were written.
    """

    num_rows: int
    file: "AddAction | None"
    is_committed: bool


def write_days(
    write: Callable[[str, bytes], None], rows: "Mapping[date, pa.Table | WrittenRows]"
) -> "dict[date, AddAction]":
    """Write a file for each day that has rows, unless it is already written; return the action that adds it, by day."""
    files = {
        day: (of_day.file if isinstance(of_day, WrittenRows) else write_file(write, of_day, day))
        for day, of_day in rows.items()
        if of_day.num_rows
    }
    return {day: file for day, file in files.items() if file is not None}


def commit_days(
    delta: "DeltaTable",
    schema: "pa.Schema | None",
    files: "Mapping[date, AddAction]",
    fingerprints: Mapping[date, int],
    others: Mapping[str, int],
    metadata: Mapping[str, str],
) -> None:
    """Replace days in one commit, and load the new version.

    Args:
        delta: the table.
        schema: new columns of the table, which requires that every day is replaced; None to keep the columns and the
            other days.
        files: the file of each day that has rows.
        fingerprints: the fingerprint of each day that is replaced.
        others: versions of further transactions, by application.
        metadata: further entries of the commit info.

    Raises:
        deltalake.exceptions.CommitFailedError: when another process committed anything since the table was refreshed.
    """
    from deltalake import CommitProperties, Transaction

    lists = {
        files_transaction(day): list_digest({files[day].path: rows_of(files[day])} if day in files else {})
        for day in fingerprints
    }
    transactions = {**{day.isoformat(): version for day, version in fingerprints.items()}, **others, **lists}
    replaced = _removals(delta, fingerprints) if schema is None else []
    delta.create_write_transaction(
        [*files.values(), *replaced],
        mode="append" if schema is None else "overwrite",
        schema=delta.schema() if schema is None else schema,
        partition_by=[DAY],
        commit_properties=CommitProperties(
            app_transactions=[Transaction(app_id=name, version=version) for name, version in transactions.items()],
            custom_metadata=dict(metadata),
            # delta-rs's own retries assume that a commit of files has read the whole table, so they would give up at
            # once.
            max_commit_retries=0,
        ),
    )
    delta.update_incremental()


def with_retries(commit: Callable[[], None], is_unchanged: Callable[[], bool], refresh: Callable[[], None]) -> None:
    """Retry a commit after a commit of another process that does not conflict.

    Args:
        commit: commits, based on the open version of the table.
        is_unchanged: returns whether the open version still has the columns and fingerprints that the commit relies on.
        refresh: opens the newest version.

    Raises:
        deltalake.exceptions.CommitFailedError: when another process committed the same days, or COMMIT_ATTEMPTS times.
    """
    from deltalake.exceptions import CommitFailedError

    for attempt in range(1, COMMIT_ATTEMPTS + 1):
        try:
            return commit()
        except CommitFailedError:
            refresh()
            if attempt == COMMIT_ATTEMPTS or not is_unchanged():
                raise
    return None


def _removals(delta: "DeltaTable", days: Iterable[date]) -> "list[RemoveAction]":
    """Return the actions that remove the current files of some days."""
    import pyarrow as pa
    from deltalake.transaction import RemoveAction

    names, now = {day.isoformat() for day in days}, time.time_ns() // 1_000_000
    files = pa.table(delta.get_add_actions(flatten=True)).select(["path", f"partition.{DAY}", "size_bytes"]).to_pylist()
    return [
        RemoveAction(file["path"], True, now, file["size_bytes"], {DAY: str(file[f"partition.{DAY}"])})
        for file in files
        # They differ where the log is damaged.
        if names & {str(file[f"partition.{DAY}"]), str(day_of_path(file["path"]))}
    ]
