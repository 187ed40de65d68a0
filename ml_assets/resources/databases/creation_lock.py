"""A lock under which state files are created, so that two processes do not create them at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml_assets.core.operations.failures.damaged_state import DamagedState

LOCK_FILE = ".creation.lock"
TIMEOUT_SECONDS = 120.0


class CreationLocked(DamagedState):
    """Another process has been creating state files for too long."""


@contextmanager
def creation_lock(folder: Path, timeout: float = TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold the lock of a folder while the block runs. A thread may take it again.

    The operating system releases the lock when the process ends, however it ends, so a leftover lock file does no harm.
    In a folder that cannot be written there is no lock, and nothing can be created either.

    Args:
        folder: the folder; created if it does not exist.
        timeout: seconds to wait for another process.

    Raises:
        CreationLocked: when another process holds the lock for longer.
    """
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_FILE, is_singleton=True)
        lock.acquire(timeout)
    except Timeout:
        raise CreationLocked(
            f"another process has been creating files in {folder} for {timeout:.0f} s. End it (`fuser -v "
            f"{folder / LOCK_FILE}` names it) and repeat the command"
        ) from None
    except OSError:
        yield
        return
    try:
        yield
    finally:
        lock.release()
