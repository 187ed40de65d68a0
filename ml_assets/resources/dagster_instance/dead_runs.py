"""Runs in the process of a command, such as `make run`, that died with it: nobody else watches such a process, and
Dagster counts them as running.
"""

import atexit
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from dagster import DagsterInstance

FOLDER = "runs_in_process"
NOT_RETRIED = {"dagster/max_retries": "0"}
"""Tags of such a run. Dagster would say of one that died that it will be tried again, and cannot: no code server knows
its job.
"""
# A lock lasts as long as its file is open, and no longer than this process.
_held: dict[Path, int] = {}


def mark_alive(instance: "DagsterInstance", run_id: str) -> bool:
    """From now until the end of this process, whatever ends it, a file in Dagster's home is locked that says that the
    run goes on here. Where that cannot be written, nothing is known of the run.

    Returns:
        Whether that is new.
    """
    if instance.is_ephemeral or (path := _path(instance, run_id)) in _held:
        return False
    # Nobody sees it before it is locked.
    unseen = path.with_name(f".{uuid4().hex}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(unseen, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        unseen.rename(path)
        _held[path] = file
    return path in _held


def is_dead(instance: "DagsterInstance", run_id: str) -> bool:
    """Whether the run went on in a process of this machine that is gone; of one that was never marked nothing is known,
    so it is not.
    """
    path = _path(instance, run_id)
    return path not in _held and path.exists() and not _is_locked(path)


def fail_dead_runs(instance: "DagsterInstance") -> list[str]:
    """Mark runs as failed whose process is gone; returns what is to be said of each."""
    said = []
    for path in sorted((Path(instance.root_directory) / FOLDER).glob("[!.]*")):
        if path in _held or _is_locked(path):
            continue
        run = instance.get_run_by_id(path.name)
        if run is not None and not run.is_finished:
            said.append(
                f"run {run.run_id} of {run.job_name} did not end: its process is gone. What it has committed is kept"
            )
            instance.report_run_failed(run, said[-1])
        path.unlink(missing_ok=True)
    return said


def _path(instance: "DagsterInstance", run_id: str) -> Path:
    return Path(instance.root_directory) / FOLDER / run_id


def _is_locked(path: Path) -> bool:
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


@atexit.register
def _clear() -> None:
    """Its runs have ended when a process ends as it should."""
    for path, file in _held.items():
        with suppress(OSError):
            path.unlink()
            os.close(file)
