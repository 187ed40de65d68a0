"""The notifications of all models, with the messages that still have to be delivered to each target."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.operations.notifications.events import Notification, NotificationEvent, delay_before, fold
from ml_assets.core.operations.notifications.message import Change
from ml_assets.core.operations.notifications.redaction import redact
from ml_assets.resources.notifications.database import NotificationDatabase, notification_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Longer than a delivery attempt takes. If a process dies during an attempt, the message is sent again after the lease.
LEASE = timedelta(minutes=2)
MAX_NOTIFICATIONS_PER_MESSAGE = 1_000


@dataclass(frozen=True)
class Due:
    """A delivery that is due: the number of its row, the change, and the notification that it is about."""

    number: int
    news: Change
    notification: Notification


@dataclass(frozen=True)
class Undelivered:
    """The messages that wait for a target: their count, the largest number of attempts for one message, the time of the
    next attempt, and the last error.
    """

    target: str
    count: int
    attempts: int
    next_attempt_at: datetime
    last_error: str


class Outbox:
    """Notifications and their deliveries. The tables are created on first use; any number of processes may use them at
    the same time.

    Args:
        uri: URI of the database, in the form that NotificationDatabase expects.
        secrets: values that are removed from every message before it is written.
    """

    def __init__(self, uri: str, secrets: Sequence[str] = ()):
        self.database = NotificationDatabase(uri)
        self._secrets = secrets

    def record(self, events: Sequence[NotificationEvent], targets: Sequence[str], now: datetime) -> tuple[int, int]:
        """Write failures and resolutions in one transaction. Recording an event twice has no effect.

        Args:
            events: events in any order.
            targets: names of the targets that get a message.
            now: the current time, with a zone.

        Returns:
            The number of notifications that opened, and the number that were resolved.

        Raises:
            NotificationsUnavailable: when the database cannot be used; nothing is written then.
        """
        if not events:
            return 0, 0
        opened = resolved = 0
        with self.database.transaction() as connection:
            known = self._read_known(connection, events)
            was_open = {notification.number for notification in known if notification.is_open}
            for notification in fold(known, events):
                number = notification.number
                if number is None:
                    if (number := self._insert(connection, notification, now)) is None:
                        continue
                    self._insert_deliveries(connection, number, "opened", targets, now)
                    opened += 1
                    is_resolved = not notification.is_open
                else:
                    is_resolved = (
                        number in was_open
                        and not notification.is_open
                        and self._resolve(connection, number, notification)
                    )
                if is_resolved and not notification.is_replaced(events):
                    self._insert_deliveries(connection, number, "resolved", targets, now)
                    resolved += 1
        return opened, resolved

    def waiting(self, targets: Sequence[str], now: datetime) -> list[tuple[str, str]]:
        """Return (target, model) of every delivery that is due, the longest due first."""
        from sqlalchemy import func, select

        from ml_assets.resources.notifications.tables import DELIVERIES, NOTIFICATIONS

        since = func.min(DELIVERIES.c.next_attempt_at)
        due = select(DELIVERIES.c.target, NOTIFICATIONS.c.model).join_from(DELIVERIES, NOTIFICATIONS)
        due = due.where(
            DELIVERIES.c.delivered_at.is_(None), DELIVERIES.c.next_attempt_at <= now, DELIVERIES.c.target.in_(targets)
        )
        with self.database.transaction() as connection:
            rows = connection.execute(due.group_by(DELIVERIES.c.target, NOTIFICATIONS.c.model).order_by(since))
            return [(row.target, row.model) for row in rows]

    def claim(self, target: str, model: str, now: datetime) -> list[Due]:
        """Return the deliveries of a model that are due for a target, in the order in which they were recorded. No
        other process gets them for the duration of `LEASE`.
        """
        from sqlalchemy import select, update

        from ml_assets.resources.notifications.tables import DELIVERIES, NOTIFICATIONS

        due = (DELIVERIES.c.delivered_at.is_(None), DELIVERIES.c.next_attempt_at <= now, DELIVERIES.c.target == target)
        with self.database.transaction() as connection:
            deliveries = select(DELIVERIES.c.id.label("delivery"), DELIVERIES.c.news, NOTIFICATIONS).join_from(
                DELIVERIES, NOTIFICATIONS
            )
            ordered = (
                deliveries.where(NOTIFICATIONS.c.model == model, *due)
                .order_by(DELIVERIES.c.id)
                .limit(MAX_NOTIFICATIONS_PER_MESSAGE)
            )
            rows = list(connection.execute(ordered))
            lease = (
                update(DELIVERIES)
                .where(DELIVERIES.c.id.in_([row.delivery for row in rows]), *due)
                .values(next_attempt_at=now + LEASE)
            )
            leased = set(connection.scalars(lease.returning(DELIVERIES.c.id)))
            return [Due(row.delivery, row.news, notification_of(row)) for row in rows if row.delivery in leased]

    def settle(self, due: Sequence[Due], error: str | None, now: datetime) -> None:
        """Record that claimed deliveries succeeded (no error), or their error; the delay before a retry grows with each
        attempt.
        """
        from sqlalchemy import select, update

        from ml_assets.resources.notifications.tables import DELIVERIES

        claimed = DELIVERIES.c.id.in_([delivery.number for delivery in due])
        with self.database.transaction() as connection:
            for number, attempts in connection.execute(
                select(DELIVERIES.c.id, DELIVERIES.c.attempts).where(claimed)
            ).all():
                attempts += 1
                outcome = (
                    {"delivered_at": now} if error is None else {"next_attempt_at": now + delay_before(attempts + 1)}
                )
                values = {"attempts": attempts, "last_error": redact(error or "", self._secrets), **outcome}
                connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == number).values(**values))

    def open_count(self) -> int:
        """Return the number of open notifications of all models."""
        from sqlalchemy import func, select

        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        with self.database.transaction() as connection:
            return connection.scalar(select(func.count()).where(NOTIFICATIONS.c.resolved_at.is_(None))) or 0

    def newest(self, limit: int, model: str | None = None) -> list[Notification]:
        """Return the newest notifications of a model, or of all, open ones before the others."""
        from sqlalchemy import select

        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        order = (
            NOTIFICATIONS.c.resolved_at.is_not(None),
            NOTIFICATIONS.c.happened_at.desc(),
            NOTIFICATIONS.c.id.desc(),
        )
        rows = select(NOTIFICATIONS).order_by(*order).limit(limit)
        rows = rows if model is None else rows.where(NOTIFICATIONS.c.model == model)
        with self.database.transaction() as connection:
            return [notification_of(row) for row in connection.execute(rows)]

    def undelivered(self) -> list[Undelivered]:
        """Return the messages that wait for each target, including targets that are no longer configured."""
        from sqlalchemy import func, select

        from ml_assets.resources.notifications.tables import DELIVERIES

        columns = DELIVERIES.c
        figures = (
            func.count().label("count"),
            func.max(columns.attempts),
            func.min(columns.next_attempt_at),
            func.max(columns.last_error),
        )
        waiting = select(columns.target, *figures).where(columns.delivered_at.is_(None))
        waiting = waiting.group_by(columns.target).order_by(columns.target)
        with self.database.transaction() as connection:
            return [Undelivered(*row) for row in connection.execute(waiting)]

    def _read_known(self, connection: "Connection", events: Sequence[NotificationEvent]) -> list[Notification]:
        from sqlalchemy import or_, select

        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        models = {event.model for event in events}
        keys = {event.key for event in events if event.failed}
        is_relevant = or_(NOTIFICATIONS.c.resolved_at.is_(None), NOTIFICATIONS.c.dedupe_key.in_(keys))
        rows = select(NOTIFICATIONS).where(NOTIFICATIONS.c.model.in_(models), is_relevant).order_by(NOTIFICATIONS.c.id)
        return [notification_of(row) for row in connection.execute(rows)]

    def _insert(self, connection: "Connection", notification: Notification, now: datetime) -> int | None:
        """Insert a notification and return the number of its row; None if another process has inserted it."""
        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        event = notification.event
        row = {
            name: getattr(event, name)
            for name in ("run", "model", "partition", "kind", "severity", "detail", "link", "retried")
        }
        row |= {
            "message": redact(event.message, self._secrets),
            "assets": ",".join(sorted(event.assets)),
            "dedupe_key": event.key,
            "happened_at": event.at,
        }
        row |= {"created_at": now, "resolved_at": notification.resolved_at, "resolved_by": notification.resolved_by}
        row |= {"kind": event.kind.value, "severity": event.severity.value}
        return connection.scalar(
            self.database.insert_into(NOTIFICATIONS)
            .values(**row)
            .on_conflict_do_nothing()
            .returning(NOTIFICATIONS.c.id)
        )

    def _resolve(self, connection: "Connection", number: int, notification: Notification) -> bool:
        """Mark a notification as resolved; return True if it was this process that resolved it."""
        from sqlalchemy import update

        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        row = (NOTIFICATIONS.c.id == number) & NOTIFICATIONS.c.resolved_at.is_(None)
        values = {"resolved_at": notification.resolved_at, "resolved_by": notification.resolved_by}
        return connection.execute(update(NOTIFICATIONS).where(row).values(**values)).rowcount == 1

    def _insert_deliveries(
        self, connection: "Connection", number: int, news: Change, targets: Sequence[str], now: datetime
    ) -> None:
        from ml_assets.resources.notifications.tables import DELIVERIES

        delivery = {"notification_id": number, "news": news, "attempts": 0, "next_attempt_at": now, "last_error": ""}
        if targets:
            connection.execute(DELIVERIES.insert(), [{**delivery, "target": target} for target in targets])
