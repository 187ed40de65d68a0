"""Detection of runs whose process has died. No other process watches a run of a command, such as `ml-assets run`, and a
code server that cannot reach the database when a run dies never reports it: Dagster would count both as running.
"""

import os
from contextlib import suppress
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

try:
    import fcntl
except ImportError:
    # Windows lacks this module, so dead runs are not detected there.
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from dagster import DagsterInstance

FOLDER = "runs_in_process"
NOT_RETRIED = {"dagster/max_retries": "0"}
"""Tags of a run in the process of a command. Dagster would announce a retry of a dead run, but no code server knows its
job.
"""
# File descriptors of this process's lock files. A lock lasts while its file is open, at most until this process ends.
_locks: dict[Path, int] = {}


def mark_alive(instance: "DagsterInstance", run_id: str) -> bool:
    """Lock a file in Dagster's home until this process ends, however it ends, to show that the run is alive.

    If the file cannot be written, the run is not marked.

    Returns:
        Whether the run was not marked before.
    """
    if fcntl is None or instance.is_ephemeral or (path := _path(instance, run_id)) in _locks:
        return False
    # The file gets its name only after it is locked, so that no other process finds it unlocked.
    hidden = path.with_name(f".{uuid4().hex}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(hidden, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        hidden.rename(path)
        if not _locks:
            # A process of a code server runs these functions when it ends, but not those of `atexit`.
            Finalize(None, _delete_lock_files, exitpriority=0)
        _locks[path] = file
    return path in _locks


def is_alive(instance: "DagsterInstance", run_id: str) -> bool | None:
    """Return whether the process of a run on this machine still exists; None for a run that was never marked."""
    path = _path(instance, run_id)
    return path in _locks or _is_locked(path) if path.exists() else None


def has_live_run(home: Path) -> bool:
    """Return whether a process of this machine has a run in progress in a Dagster home."""
    return any(_is_locked(path) for path in (home / FOLDER).glob("[!.]*"))


def fail_dead_runs(instance: "DagsterInstance") -> list[str]:
    """Mark runs as failed whose process is gone; return a message about each."""
    messages = []
    for path in sorted((Path(instance.root_directory) / FOLDER).glob("[!.]*")):
        if path in _locks or _is_locked(path):
            continue
        run = instance.get_run_by_id(path.name)
        if run is not None and not run.is_finished:
            message = (
                f"run {run.run_id} of {run.job_name} did not end: its process is gone. What it has committed is kept"
            )
            instance.report_run_failed(run, message)
            messages.append(message)
        path.unlink(missing_ok=True)
    return messages


def _path(instance: "DagsterInstance", run_id: str) -> Path:
    return Path(instance.root_directory) / FOLDER / run_id


def _is_locked(path: Path) -> bool:
    if fcntl is None:
        return True
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _delete_lock_files() -> None:
    """Delete the lock files of this process: its runs have ended when it exits normally."""
    for path, file in _locks.items():
        with suppress(OSError):
            path.unlink()
            os.close(file)
