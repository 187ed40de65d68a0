"""The SQLite files in the directory of a Dagster instance: a lock under which they are created, and their damage.

Reason: Dagster creates the files without a lock, and its errors name neither the file nor the tables that are missing.
Public API that would replace it: storages that lock, and a command that checks them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from click import ClickException

from ml_assets.core.operations.failures.damaged_state import (
    EVENT_INDEX,
    GONE,
    MOVED_AWAY,
    RUN_EVENTS,
    RUNS,
    SCHEDULES,
    DamagedState,
)
from ml_assets.resources.databases.creation_lock import creation_lock
from ml_assets.resources.databases.sqlite_file import NO_TABLES, find_damage, is_unfinished

REVISION = "alembic_version"
RUNS_FILE, SCHEDULES_FILE, EVENT_INDEX_FILE = "history/runs.db", "schedules/schedules.db", "history/runs/index.db"


class DamagedHome(DamagedState, ClickException):
    """A file of the Dagster home is damaged or missing. Dagster's commands print the message without a stack trace."""


@contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """Hold the lock of a home while the block opens or creates its files.

    A file that a process was creating when it died is empty, and is removed.

    Raises:
        DamagedHome: when a file of the home is damaged or missing.
        CreationLocked: when another process holds the lock for too long.
    """
    with creation_lock(home):
        for path in [home / file for file in tables_by_file()]:
            if path.exists() and is_unfinished(path):
                for suffix in ("-wal", "-shm", ""):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
        if damages := damaged_files(home):
            raise DamagedHome("\n".join(damages))
        yield


def tables_by_file() -> Mapping[str, set[str]]:
    """Return the tables that each file must have, by its path under the directory of the instance."""
    from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
    from dagster._core.storage.runs.schema import RunStorageSqlMetadata
    from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata

    return {
        RUNS_FILE: {*RunStorageSqlMetadata.tables, REVISION},
        EVENT_INDEX_FILE: {*SqlEventLogStorageMetadata.tables, REVISION},
        SCHEDULES_FILE: {*ScheduleStorageSqlMetadata.tables, REVISION},
    }


def damaged_files(home: Path, thorough: bool = False) -> list[str]:
    """Return a message for each SQLite file of a home that is damaged or missing.

    A home without runs may lack files, or have files without tables: Dagster creates them. In a home with runs, a
    missing file was lost, unless somebody moved it away.

    Args:
        home: the directory of the instance.
        thorough: also read every page of the files, and look at the files of single runs.
    """
    state_files = {RUNS_FILE: RUNS, EVENT_INDEX_FILE: EVENT_INDEX, SCHEDULES_FILE: SCHEDULES}
    messages = []
    for file, tables in tables_by_file().items():
        path = home / file
        reason = find_damage(path, tables, thorough) if path.exists() else GONE
        is_new = not _has_had_runs(home) or path.with_name(path.name + MOVED_AWAY).exists()
        if reason and not (reason in (GONE, NO_TABLES) and is_new):
            messages.append(state_files[file].explain(path, reason))
    for path in sorted((home / EVENT_INDEX_FILE).parent.glob("*.db")) if thorough else ():
        if path.name != Path(EVENT_INDEX_FILE).name and (reason := find_damage(path)):
            messages.append(RUN_EVENTS.explain(path, reason))
    return messages


def _has_had_runs(home: Path) -> bool:
    """Return whether the instance has had runs: each run has a file of events."""
    return any(path.name != "index.db" for path in (home / "history" / "runs").glob("*.db"))
