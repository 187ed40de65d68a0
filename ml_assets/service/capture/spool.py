"""The spool of captured requests: files on the local disk that survive a killed process."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

try:
    import fcntl
except ImportError:
    # Windows has no fcntl: there, a process only handles its own files.
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX, UNNAMED = ".arrows", "."
SECONDS_UNTIL_ABANDONED = 3600.0


def spool_folder(lake: str, model: str) -> Path:
    """Return the folder of the spool for a lake and model, in the directory for temporary files."""
    place = sha256(f"{lake}\n{model}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"ml_assets_capture_{os.getuid() if hasattr(os, 'getuid') else 0}_{place}")


class Spool:
    """Record batches in files, one of which is open. One thread appends and closes, another may read closed files.

    A file is an Arrow stream, so everything written before its process was killed can be read. Each write goes to the
    operating system at once. An open file is locked, and the lock ends with its process, so any process that shares the
    folder can pick up the files of a dead one.

    Args:
        folder: the folder, which is created with access for its owner only.

    Raises:
        OSError: when the folder cannot be created or belongs to another user.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to another user")
        folder.chmod(0o700)
        self._folder = folder
        self._remove_unnamed()
        self._written: set[str] = set()
        self._writer: pa.RecordBatchStreamWriter | None = None
        self._file: pa.OSFile | None = None
        self._lock: int | None = None
        self._open_name: str | None = None
        self.rows = 0

    def append(self, batch: "pa.RecordBatch") -> None:
        """Add rows to the open file, which is created if there is none.

        Raises:
            OSError: when the disk is full or the file cannot be written; the file is closed, and the rows are lost.
        """
        import pyarrow as pa

        try:
            if self._writer is None:
                self._open(batch.schema)
            assert self._writer is not None
            self._writer.write_batch(batch)
        except (OSError, pa.ArrowException):
            self.close()
            raise
        self.rows += batch.num_rows

    def close(self) -> None:
        """Close the open file, so that `closed` yields it."""
        for thing in (self._writer, self._file):
            if thing is not None:
                with suppress(Exception):
                    thing.close()
        if self._lock is not None:
            os.close(self._lock)
        self._writer = self._file = self._lock = self._open_name = None
        self.rows = 0

    def bytes(self) -> int:
        """Return the bytes of all files in the folder."""
        sizes = 0
        for path in self._folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                sizes += path.stat().st_size
        return sizes

    def closed(self) -> "Iterator[tuple[str, pa.Table | None]]":
        """Yield name and rows of each file that no process has open, the oldest first; the file is locked while it is
        yielded.

        The rows are None if no batch was written completely. Call `delete` once the rows are stored elsewhere.
        """
        for path in sorted(self._folder.glob(f"*{SUFFIX}"), key=_age):
            try:
                lock = os.open(path, os.O_RDONLY)
            except OSError:
                # Another process has handled it in the meantime.
                continue
            try:
                if self._is_free(path, lock):
                    yield path.stem, _read(path)
            finally:
                os.close(lock)

    def delete(self, name: str) -> None:
        """Delete a file."""
        (self._folder / f"{name}{SUFFIX}").unlink(missing_ok=True)
        self._written.discard(name)

    def _open(self, schema: "pa.Schema") -> None:
        import pyarrow as pa

        name = uuid4().hex
        # The file gets its name only when it is locked, so that nobody mistakes it for the file of a dead process.
        unnamed, path = self._folder / f"{UNNAMED}{name}", self._folder / f"{name}{SUFFIX}"
        try:
            self._lock = os.open(unnamed, os.O_CREAT | os.O_RDWR, 0o600)
            if fcntl is not None:
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._file = pa.OSFile(str(unnamed), "wb")
            self._writer = pa.ipc.new_stream(self._file, schema)
            self._open_name = name
            unnamed.rename(path)
        except (OSError, pa.ArrowException):
            unnamed.unlink(missing_ok=True)
            raise
        self._written.add(name)

    def _remove_unnamed(self) -> None:
        """Remove unnamed files of processes that were killed before naming them."""
        for path in self._folder.glob(f"{UNNAMED}*"):
            if time.time() - _age(path) > SECONDS_UNTIL_ABANDONED:
                path.unlink(missing_ok=True)

    def _is_free(self, path: Path, lock: int) -> bool:
        if fcntl is None:
            return path.stem in self._written and path.stem != self._open_name
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> "pa.Table | None":
    """Read the completely written record batches."""
    import pyarrow as pa

    batches = []
    with suppress(pa.ArrowException, OSError, EOFError), pa.OSFile(str(path), "rb") as file:
        reader = pa.ipc.open_stream(file)
        with suppress(StopIteration):
            while True:
                batches.append(reader.read_next_batch())
    return pa.Table.from_batches(batches) if batches else None
