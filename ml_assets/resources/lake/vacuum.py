"""The files of a Delta table that newer commits replaced and that no version needs which is kept."""

import json
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.operations.retention import Commit, version_at, versions_to_keep

if TYPE_CHECKING:
    from ml_assets.resources.lake.table import Table


class CannotVacuum(Exception):
    """Files of a table cannot be deleted without losing what may be needed; the message says what."""


def commits_of(table: "Table") -> list[Commit]:
    """The commits of a table whose log is still there, the oldest first."""
    return [
        Commit(
            entry["version"],
            datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
            _fingerprints(entry.get("fingerprints")),
        )
        for entry in reversed(table.delta.history())
    ]


def replaced_files(table: "Table", before: datetime, needs: Collection[tuple[date, int]]) -> list[str]:
    """The files that were replaced before a moment, except those of needed days, and older files that no commit ever
    knew of.

    Delta's own vacuum says which files are not in use any more. It can keep whole versions only, with all their days,
    so removed days would stay for as long as one other day of that time is needed; hence the files of needed days are
    taken out here, and the caller deletes the others.

    Args:
        table: the table.
        before: with a zone; files replaced later stay, to within an hour.
        needs: (day, fingerprint) of each day that has to stay readable.

    Returns:
        The files' keys, relative to the table; files that were deleted before may be among them.

    Raises:
        CannotVacuum: when a needed day is neither in the table nor in a version of it whose log is there, or the log
            does not reach back far enough.
    """
    table.refresh()
    commits = commits_of(table)
    needed = versions_to_keep(commits, {(day, made) for day, made in needs if table.fingerprint(day) != made})
    if needed.lost:
        day, made = needed.lost[0]
        raise CannotVacuum(
            f"{len(needed.lost)} days that are needed are in no version of the table that is known, the first {day} ({made:016x})"
        )
    # A checkpoint forgets when a file was replaced, and a vacuum then goes by when it was written: the version of that
    # moment says what was in use.
    then = version_at(commits, before)
    if then is None and commits[0].version > 0:
        raise CannotVacuum(
            f"its log begins on {commits[0].time:%Y-%m-%d}, so what was in use on {before:%Y-%m-%d} is not known"
        )
    kept = set() if then is None else {path for paths in _files_of_days(table, then).values() for path in paths}
    for version, days in needed.versions.items():
        files = _files_of_days(table, version)
        kept |= {path for day in days for path in files.get(day, ())}
    hours = max(0, -((before - datetime.now(UTC)) // timedelta(hours=1)))
    unused = table.delta.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
    return sorted(set(unused) - kept)


def _fingerprints(text: str | None) -> dict[date, int]:
    return {date.fromisoformat(day): int(made, 16) for day, made in json.loads(text).items()} if text else {}


def _files_of_days(table: "Table", version: int) -> dict[date, tuple[str, ...]]:
    """The files of each day in a version of a table, relative to the table."""
    import pyarrow as pa
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        held = DeltaTable(table.uri, version, storage_options=table.storage_options)
    except DeltaError as error:
        raise CannotVacuum(f"version {version}, whose files are needed, cannot be read: {error}") from error
    files: dict[date, tuple[str, ...]] = {}
    for file in pa.table(held.get_add_actions(flatten=True)).select(["path", "partition.day"]).to_pylist():
        day = date.fromisoformat(str(file["partition.day"]))
        files[day] = (*files.get(day, ()), file["path"])
    return files
