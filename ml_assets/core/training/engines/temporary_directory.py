"""Temporary folders that the next process removes if their own process was killed."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:
    # Windows has no fcntl: folders of killed processes stay there.
    fcntl = None  # type: ignore[assignment]

LOCK = ".in_use"
# A new folder looks unused until its process has locked it.
SECONDS_TO_LOCK = 60


@contextmanager
def temporary_directory(prefix: str) -> Iterator[Path]:
    """Create a folder under the directory for temporary files, and remove it afterwards.

    First remove the folders with the same prefix that killed processes left behind. A folder in use is locked, and the
    lock ends with its process, even if several containers share the directory.
    """
    for folder_of_other in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        _remove_unless_used(folder_of_other)
    with tempfile.TemporaryDirectory(prefix=prefix) as folder, open(Path(folder, LOCK), "w", encoding="utf-8") as lock:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(folder)


def _remove_unless_used(folder: Path) -> None:
    if fcntl is None:
        return
    try:
        if time.time() - (folder / LOCK).stat().st_mtime < SECONDS_TO_LOCK:
            return
        with open(folder / LOCK, encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        # In use, already removed, or owned by another user.
        return
