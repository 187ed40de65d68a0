"""Values read from a database of state: the revision of its tables, and its time."""

from collections.abc import Callable
from time import time
from typing import TYPE_CHECKING, Any

from ml_assets.core.operations.failures.error_message import first_line
from ml_assets.resources.databases.postgresql_uri import is_postgresql

if TYPE_CHECKING:
    from sqlalchemy import Connection

TIMEOUT_SECONDS = 10


def read_schema_revision(uri: str) -> str | None:
    """Return Alembic's revision of the tables in a database; None when there are none.

    Raises:
        ConnectionError: with the message of the database, when it cannot be reached, or does not answer within
            `TIMEOUT_SECONDS`.
    """
    from sqlalchemy import inspect, text

    def read(connection: "Connection") -> str | None:
        if "alembic_version" not in inspect(connection).get_table_names():
            return None
        return connection.scalar(text("SELECT version_num FROM alembic_version"))

    return _query(uri, read)


def measure_database_skew(uri: str, now: Callable[[], float] = time) -> float:
    """Return the seconds by which this machine's clock is ahead of that of a PostgreSQL server.

    Raises:
        ConnectionError: with the message of the database, when it cannot be reached.
    """
    from sqlalchemy import text

    def measure(connection: "Connection") -> float:
        before = now()
        server = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        return (before + now()) / 2 - server

    return _query(uri, measure)


def _query(uri: str, read: Callable[..., Any]) -> Any:
    from sqlalchemy import NullPool, create_engine, text
    from sqlalchemy.exc import DBAPIError

    arguments = {"connect_timeout": TIMEOUT_SECONDS} if is_postgresql(uri) else {}
    try:
        with create_engine(uri, poolclass=NullPool, connect_args=arguments).connect() as connection:
            if is_postgresql(uri):
                # A migration, or a transaction that somebody left open, may hold a lock for hours.
                connection.execute(text(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'"))
            return read(connection)
    except DBAPIError as error:
        raise ConnectionError(first_line(error)) from error
