"""Temporary folders that go also when the process that made them was killed: the next one removes them."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".in_use"
# Between its making and its lock a folder looks as if nobody used it.
SECONDS_TO_LOCK = 60


@contextmanager
def temporary_directory(prefix: str) -> Iterator[Path]:
    """A new folder under the directory for temporary files, removed afterwards.

    First those with the same prefix that killed processes left behind are removed: a folder in use is locked, and a
    lock ends with its process, also where processes of other containers share the directory.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        _remove_unless_used(left)
    with tempfile.TemporaryDirectory(prefix=prefix) as folder, open(Path(folder, LOCK), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(folder)


def _remove_unless_used(folder: Path) -> None:
    try:
        if time.time() - (folder / LOCK).stat().st_mtime < SECONDS_TO_LOCK:
            return
        with open(folder / LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        # In use, gone meanwhile, or somebody else's.
        return
