"""The database of notifications: opened, with its tables made by one process at a time, on PostgreSQL and SQLite."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ml_assets.core.operations.notifications.events import Kind, Notification, NotificationEvent, Severity
from ml_assets.resources.databases.postgresql_uri import is_postgresql
from ml_assets.resources.databases.uri_secrets import scrub, shown

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

# Any number that nothing else in the database locks.
LOCK = 7_236_159_439
SECONDS_TO_WAIT_FOR_SQLITE = 30


class NotificationsUnavailable(Exception):
    """The database of notifications cannot be used; the message says why, without credentials."""


class NotificationDatabase:
    """Where notifications are kept; nothing is opened before the first transaction.

    Args:
        uri: with the driver and its limits of time, as `with_driver` gives it: PostgreSQL, or `sqlite:///` and the path
            of a file.
    """

    def __init__(self, uri: str):
        self._uri = uri
        self._engine: Engine | None = None

    @contextmanager
    def transaction(self) -> "Iterator[Connection]":
        """A connection whose changes are kept together at the end, or not at all. The tables are there.

        Raises:
            NotificationsUnavailable: when the database cannot be used.
        """
        with self._told():
            if self._engine is None:
                self._engine = self._engine_with_tables()
            with self._engine.begin() as connection:
                yield connection

    def reach(self) -> None:
        """See whether the database answers, without changing anything.

        Raises:
            NotificationsUnavailable: when it does not.
        """
        with self._told(), self._new_engine().connect():
            pass

    @contextmanager
    def _told(self) -> Iterator[None]:
        from sqlalchemy.exc import DBAPIError

        try:
            yield
        except DBAPIError as error:
            said = scrub(str(getattr(error, "orig", error)).strip().partition("\n")[0], self._uri)
            raise NotificationsUnavailable(
                f"the database of notifications {shown(self._uri)} cannot be used ({said})"
            ) from None

    def insert_into(self, table: "Table") -> Any:
        """An insert that may say what to do on a conflict, in the words of this database."""
        from sqlalchemy.dialects import postgresql, sqlite

        return postgresql.insert(table) if is_postgresql(self._uri) else sqlite.insert(table)

    def _new_engine(self) -> "Engine":
        from sqlalchemy import NullPool, create_engine

        given: dict[str, Any] = {} if is_postgresql(self._uri) else {"timeout": SECONDS_TO_WAIT_FOR_SQLITE}
        return create_engine(self._uri, poolclass=NullPool, connect_args=given, hide_parameters=True)

    def _engine_with_tables(self) -> "Engine":
        from sqlalchemy import inspect, text

        from ml_assets.resources.notifications.tables import DELIVERIES, METADATA

        engine = self._new_engine()
        with engine.begin() as connection:
            if not inspect(connection).has_table(DELIVERIES.name):
                # Whoever comes second waits here until the tables are there.
                connection.execute(
                    text(f"SELECT pg_advisory_xact_lock({LOCK})" if is_postgresql(self._uri) else "BEGIN IMMEDIATE")
                )
                METADATA.create_all(connection)
        return engine


def notification_of(row: Any) -> Notification:
    """A row of the table as a notification."""
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
