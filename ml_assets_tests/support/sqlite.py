"""SQLite without waiting for the disk: only a power failure could lose a commit then, and no test has one."""

import sqlite3

from sqlalchemy import event
from sqlalchemy.engine import Engine


def do_not_wait_for_the_disk() -> None:
    """Let the SQLite databases of this process be written without waiting for the disk from now on."""

    @event.listens_for(Engine, "connect")
    def set_pragma(connection: object, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")
