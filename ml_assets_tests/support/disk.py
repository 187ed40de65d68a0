"""Tests without a disk: temporary files are in memory where there is room, and SQLite does not wait for the disk."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

MEMORY = Path("/dev/shm")
"""The file system in memory of Linux. The suite writes hundreds of thousands of small files."""
NEEDED_BYTES = 8 * 2**30


def keep_temporary_files_in_memory() -> None:
    """Set TMPDIR, for this process and those that it starts, unless it is set or there is too little room in memory."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= NEEDED_BYTES:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def do_not_wait_for_the_disk() -> None:
    """Let the SQLite databases of this process be written without waiting for the disk from now on: only a power
    failure could lose a commit then, and no test has one.
    """

    @event.listens_for(Engine, "connect")
    def set_pragma(connection: object, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")
