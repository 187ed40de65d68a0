"""The database of notifications, on PostgreSQL and SQLite. One process at a time creates its tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_assets.core.operations.failures.damaged_state import NOTIFICATIONS
from ml_assets.core.operations.failures.error_message import first_line
from ml_assets.core.operations.notifications.events import Kind, Notification, NotificationEvent, Severity
from ml_assets.resources.databases.postgresql_uri import is_postgresql
from ml_assets.resources.databases.sqlite_file import find_damage
from ml_assets.resources.databases.uri_secrets import scrub, without_credentials

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

# The key of an advisory lock: any number that nothing else in the database locks.
LOCK = 7_236_159_439
SQLITE_TIMEOUT_SECONDS = 30


class NotificationsUnavailable(Exception):
    """The database of notifications cannot be used. The message contains the reason and no credentials."""


class NotificationDatabase:
    """Notifications in a database, which is opened by the first transaction.

    Args:
        uri: URI with driver and timeouts, as `with_driver` returns it: PostgreSQL, or `sqlite:///` and the path of a
            file.
    """

    def __init__(self, uri: str):
        self._uri = uri
        self._engine: Engine | None = None

    @contextmanager
    def transaction(self) -> "Iterator[Connection]":
        """Yield a connection whose changes are committed together when the block ends, or not at all. The tables exist.

        Raises:
            NotificationsUnavailable: when the database cannot be used.
        """
        with self._translate_errors():
            if self._engine is None:
                self._engine = self._engine_with_tables()
            with self._engine.begin() as connection:
                yield connection

    def reach(self) -> None:
        """Check that the database responds, without changing anything.

        Raises:
            NotificationsUnavailable: when it does not respond.
        """
        from sqlalchemy import inspect

        with self._translate_errors(), self._new_engine().connect() as connection:
            # Connecting alone reads nothing of a file.
            inspect(connection).get_table_names()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        from sqlalchemy import make_url
        from sqlalchemy.exc import DBAPIError

        try:
            yield
        except DBAPIError as error:
            reason = scrub(first_line(error), self._uri)
            path = None if is_postgresql(self._uri) else Path(make_url(self._uri).database or "")
            if path and path.exists() and (damage := find_damage(path, thorough=True)):
                raise NotificationsUnavailable(NOTIFICATIONS.explain(path, damage)) from None
            raise NotificationsUnavailable(
                f"the database of notifications {without_credentials(self._uri)} cannot be used ({reason})"
            ) from None

    def insert_into(self, table: "Table") -> Any:
        """Return an insert statement in the dialect of this database, which can state what to do on a conflict."""
        from sqlalchemy.dialects import postgresql, sqlite

        return postgresql.insert(table) if is_postgresql(self._uri) else sqlite.insert(table)

    def _new_engine(self) -> "Engine":
        from sqlalchemy import NullPool, create_engine

        timeouts: dict[str, Any] = {} if is_postgresql(self._uri) else {"timeout": SQLITE_TIMEOUT_SECONDS}
        return create_engine(self._uri, poolclass=NullPool, connect_args=timeouts, hide_parameters=True)

    def _engine_with_tables(self) -> "Engine":
        from sqlalchemy import inspect, text

        from ml_assets.resources.notifications.tables import DELIVERIES, METADATA

        engine = self._new_engine()
        with engine.begin() as connection:
            if not inspect(connection).has_table(DELIVERIES.name):
                # Another process that creates the tables makes this one wait here until they exist.
                connection.execute(
                    text(f"SELECT pg_advisory_xact_lock({LOCK})" if is_postgresql(self._uri) else "BEGIN IMMEDIATE")
                )
                METADATA.create_all(connection)
        return engine


def notification_of(row: Any) -> Notification:
    """Return a row of the table as a notification."""
    event = NotificationEvent(
        Kind(row.kind),
        row.model,
        row.partition,
        row.detail,
        failed=True,
        at=row.happened_at,
        severity=Severity(row.severity),
        message=row.message,
        run=row.run,
        link=row.link,
        assets=frozenset(row.assets.split(",")) if row.assets else frozenset(),
        retried=row.retried,
    )
    return Notification(event, row.resolved_at, row.resolved_by, row.id)
