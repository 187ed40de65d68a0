"""The tables of notifications, for PostgreSQL and SQLite."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Instant(TypeDecorator[datetime]):
    """A time with a zone. SQLite has no zones, so it stores the time in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Convert a time to UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return a stored time in UTC, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData()
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

NOTIFICATIONS = Table(
    "pipeline_notifications",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("run", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("partition", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("detail", Text, nullable=False),
    Column("assets", Text, nullable=False),
    Column("retried", Boolean, nullable=False),
    Column("link", Text, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("resolved_at", Instant),
    Column("resolved_by", Text, nullable=False),
    UniqueConstraint("dedupe_key", "happened_at", name="pipeline_notifications_once"),
)
_OPEN = NOTIFICATIONS.c.resolved_at.is_(None)
Index(
    "pipeline_notifications_open", NOTIFICATIONS.c.dedupe_key, unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN
)
Index("pipeline_notifications_model", NOTIFICATIONS.c.model, NOTIFICATIONS.c.resolved_at)
"""One row for each failure. happened_at: when it happened; created_at: when the row was written; resolved_at,
resolved_by: when it was resolved, and by which run. partition, run and resolved_by are empty if there is none. At most
one row of a dedupe_key is open at a time, however many processes write.
"""

DELIVERIES = Table(
    "pipeline_notification_deliveries",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("notification_id", _NUMBER, ForeignKey(NOTIFICATIONS.c.id), nullable=False),
    Column("news", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("delivered_at", Instant),
    UniqueConstraint("notification_id", "news", "target", name="pipeline_notification_deliveries_once"),
)
Index("pipeline_notification_deliveries_due", DELIVERIES.c.delivered_at, DELIVERIES.c.next_attempt_at)
"""One row for each target and message about a notification: `opened` or `resolved`."""
