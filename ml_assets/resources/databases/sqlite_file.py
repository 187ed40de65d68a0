"""Damage of an SQLite file: not a database, cut off, without tables or revision, or with two revisions."""

import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

HEADER_BYTES = 100
MOST_NAMED = 3
NO_TABLES = "it has no tables"
# Less than SQLite needs for the files beside a database, without which it does not even read.
LEAST_FREE_BYTES = 2**20
_OTHER_REASONS = re.compile("readonly|locked|busy|unable to open")


def find_damage(path: Path, tables: Collection[str] = (), thorough: bool = False) -> str | None:
    """Return how a database file is damaged; None if it is intact, while another process writes it, or when it cannot
    be used for another reason: this user may not, the disk is full, or too many files are open.

    Args:
        path: an existing file.
        tables: names of the tables that it must have; if there are any, a file that is empty or has no tables is
            damaged.
        thorough: also read every page, which takes a second for some hundred megabytes.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as database:
            present = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if reason := _is_cut_off(path):
                return reason
            if thorough and (result := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                return " ".join(str(result).split())
            if tables and not present:
                return NO_TABLES
            if missing := sorted(set(tables) - present):
                more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
                return f"it lacks the table {', '.join(missing[:MOST_NAMED])}{more}"
            return _revision_problem(database) if "alembic_version" in tables else None
    except sqlite3.OperationalError as error:
        # A file that cannot be used need not be damaged; opening it reports the reason.
        is_refused = not os.access(path, os.R_OK) or _is_disk_full(path) or _OTHER_REASONS.search(str(error))
        return None if is_refused else str(error)
    except sqlite3.DatabaseError as error:
        return str(error)


class RefusedFile(PermissionError):
    """A file that cannot be read or written, because this user may not, or the disk is full. The message names it and
    what to do.
    """

    states_remedy = True


def find_refusal(path: Path, writing: bool = True) -> str | None:
    """Return a message with what to do if this user may not use an existing file, or its disk is full; None otherwise.

    Args:
        path: the file.
        writing: whether write access is needed, too. SQLite writes a journal into the folder of the file.
    """
    for place, need, verb in ((path, os.R_OK, "read"), (path, os.W_OK, "write"), (path.parent, os.W_OK, "write")):
        if not os.access(place, need) and (writing or need == os.R_OK):
            owner, mode = _owner_of(place), stat.S_IMODE(place.stat().st_mode)
            return (
                f"{place} belongs to {owner} with mode {mode:o}, and this user may not {verb} it: run this as {owner}, "
                "or give the file and its folder to this user"
            )
    if writing and _is_disk_full(path):
        return f"{path} cannot be written: its disk is full. Free space on it, and repeat the command"
    return None


def _is_disk_full(path: Path) -> bool:
    return shutil.disk_usage(path.parent).free < LEAST_FREE_BYTES


def _owner_of(path: Path) -> str:
    try:
        return f"the user {path.owner()}"
    except (KeyError, NotImplementedError):
        return f"the user {path.stat().st_uid}"


def is_unfinished(path: Path) -> bool:
    """Return whether a process died while it created the tables of a file, so that they have neither rows nor a
    revision.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as database:
            has_tables = database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table'").fetchone() is not None
            return has_tables and not any(line.startswith("INSERT") for line in database.iterdump())
    except sqlite3.DatabaseError:
        return False


def _revision_problem(database: sqlite3.Connection) -> str | None:
    revisions = [revision for (revision,) in database.execute("SELECT version_num FROM alembic_version")]
    if not revisions:
        return "its tables have no revision: it is half made"
    if len(revisions) > 1:
        return f"it has {len(revisions)} revisions ({', '.join(sorted(revisions))}): two processes created it at once"
    return None


def _is_cut_off(path: Path) -> str | None:
    """Return a message if a file is shorter than its header says. The header of a file with a write-ahead log may be
    ahead.
    """
    header, size = b"", path.stat().st_size
    if size < HEADER_BYTES or path.with_name(f"{path.name}-wal").exists():
        return None
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    page = int.from_bytes(header[16:18], "big")
    expected = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
    # The number of pages is valid only if it was written by the transaction that wrote the file last.
    if header[24:28] != header[92:96] or size >= expected:
        return None
    return f"it is cut off: {size} of {expected} bytes"
