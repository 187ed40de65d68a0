"""The files of a Delta table that newer commits replaced and that no needed version refers to."""

import json
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.counts import count
from ml_assets.core.operations.retention import Commit, version_at, versions_to_keep

if TYPE_CHECKING:
    from ml_assets.resources.lake.table import Table


class CannotVacuum(Exception):
    """Files of a table cannot be deleted without the risk of losing needed rows. The message contains the reason."""


def commits_of(table: "Table") -> list[Commit]:
    """Return the commits of a table whose log still exists, the oldest first."""
    return [
        Commit(
            entry["version"],
            datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
            _fingerprints(entry.get("fingerprints")),
        )
        for entry in reversed(table.delta.history())
    ]


def replaced_files(table: "Table", before: datetime, needs: Collection[tuple[date, int]]) -> list[str]:
    """Return the files that were replaced before a time, and older files that no commit refers to, except the files of
    needed days.

    Delta's own vacuum lists the files that are no longer in use. It can keep only complete versions with all their
    days, so removed days would stay as long as any other day of that version is needed. Therefore the files of needed
    days are excluded here, and the caller deletes the others.

    Args:
        table: the table.
        before: a time with a zone; files replaced later stay, to within an hour.
        needs: (day, fingerprint) of each day that has to stay readable.

    Returns:
        The keys of the files, relative to the table; files that were deleted before may be among them.

    Raises:
        CannotVacuum: when a needed day is neither in the table nor in a version of it whose log exists, or the log does
            not reach back far enough.
    """
    table.refresh()
    commits = commits_of(table)
    needed = versions_to_keep(
        commits, {(day, fingerprint) for day, fingerprint in needs if table.fingerprint(day) != fingerprint}
    )
    if needed.lost:
        day, fingerprint = needed.lost[0]
        raise CannotVacuum(
            f"no version of the table that is known has {count(len(needed.lost), 'day')} that must be kept, the first "
            f"{day} ({fingerprint:016x})"
        )
    # A checkpoint does not keep the time at which a file was replaced, and a vacuum then uses the time at which it was
    # written. So the version at `before` decides which files were in use.
    version_before = version_at(commits, before)
    if version_before is None and commits[0].version > 0:
        raise CannotVacuum(
            f"its log begins on {commits[0].time:%Y-%m-%d}, so what was in use on {before:%Y-%m-%d} is not known"
        )
    needed_files: set[str] = set()
    if version_before is not None:
        needed_files = {path for paths in _files_of_days(table, version_before).values() for path in paths}
    for version, days in needed.versions.items():
        files = _files_of_days(table, version)
        needed_files |= {path for day in days for path in files.get(day, ())}
    hours = max(0, -((before - datetime.now(UTC)) // timedelta(hours=1)))
    unused = table.delta.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
    return sorted(set(unused) - needed_files)


def _fingerprints(text: str | None) -> dict[date, int]:
    return {date.fromisoformat(day): int(value, 16) for day, value in json.loads(text).items()} if text else {}


def _files_of_days(table: "Table", version: int) -> dict[date, tuple[str, ...]]:
    """Return the files of each day in a version of a table, relative to the table."""
    import pyarrow as pa
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        delta = DeltaTable(table.uri, version, storage_options=table.storage_options)
    except DeltaError as error:
        raise CannotVacuum(f"version {version}, whose files are needed, cannot be read: {error}") from error
    files: dict[date, tuple[str, ...]] = {}
    for file in pa.table(delta.get_add_actions(flatten=True)).select(["path", "partition.day"]).to_pylist():
        day = date.fromisoformat(str(file["partition.day"]))
        files[day] = (*files.get(day, ()), file["path"])
    return files
