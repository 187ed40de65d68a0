"""The notifications of all models in a database, with what is still to be sent to whom."""

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

# Longer than an attempt takes; whoever dies within it has the message sent again afterwards.
LEASE = timedelta(minutes=2)
MOST_IN_A_MESSAGE = 1_000


@dataclass(frozen=True)
class Due:
    """Something to tell a target: the number of its row of deliveries, what is new, and of what."""

    number: int
    news: Change
    notification: Notification


@dataclass(frozen=True)
class Undelivered:
    """What waits for a target: how many messages, how often the one was tried that was tried most, when the next
    attempt is due, and what it said.
    """

    target: str
    count: int
    attempts: int
    next_attempt_at: datetime
    last_error: str


class Outbox:
    """Notifications, and which target still has to hear of them. The tables are made on first use; any number of
    processes may use them at once.

    Args:
        uri: of the database, as NotificationDatabase takes it.
        secrets: values that are taken out of every message before it is written.
    """

    def __init__(self, uri: str, secrets: Sequence[str] = ()):
        self.database, self._secrets = NotificationDatabase(uri), secrets

    def record(self, events: Sequence[NotificationEvent], targets: Sequence[str], now: datetime) -> tuple[int, int]:
        """Write what failed and what is repaired, in one transaction; what is written already changes nothing.

        Args:
            events: in any order.
            targets: names of those who are to be told.
            now: the time, with a zone.

        Returns:
            How many notifications opened, and how many were resolved.

        Raises:
            NotificationsUnavailable: when the database cannot be used; nothing is written then.
        """
        if not events:
            return 0, 0
        opened = resolved = 0
        with self.database.transaction() as connection:
            known = self._known(connection, events)
            was_open = {one.number for one in known if one.is_open}
            for one in fold(known, events):
                number = one.number
                if number is None:
                    if (number := self._insert(connection, one, now)) is None:
                        continue
                    self._to_be_told(connection, number, "opened", targets, now)
                    opened += 1
                    is_repaired = not one.is_open
                else:
                    is_repaired = number in was_open and not one.is_open and self._resolve(connection, number, one)
                if is_repaired:
                    self._to_be_told(connection, number, "resolved", targets, now)
                    resolved += 1
        return opened, resolved

    def waiting(self, targets: Sequence[str], now: datetime) -> list[tuple[str, str]]:
        """(target, model) of what is due, the longest due first."""
        from sqlalchemy import func, select

        from ml_assets.resources.notifications.tables import DELIVERIES, NOTIFICATIONS

        since = func.min(DELIVERIES.c.next_attempt_at)
        due = select(DELIVERIES.c.target, NOTIFICATIONS.c.model).join_from(DELIVERIES, NOTIFICATIONS)
        due = due.where(
            DELIVERIES.c.delivered_at.is_(None), DELIVERIES.c.next_attempt_at <= now, DELIVERIES.c.target.in_(targets)
        )
        with self.database.transaction() as connection:
            found = connection.execute(due.group_by(DELIVERIES.c.target, NOTIFICATIONS.c.model).order_by(since))
            return [(row.target, row.model) for row in found]

    def claim(self, target: str, model: str, now: datetime) -> list[Due]:
        """What a target has to be told of a model now, in the order in which it happened; nobody else gets it for as
        long as `LEASE`.
        """
        from sqlalchemy import select, update

        from ml_assets.resources.notifications.tables import DELIVERIES, NOTIFICATIONS

        due = (DELIVERIES.c.delivered_at.is_(None), DELIVERIES.c.next_attempt_at <= now, DELIVERIES.c.target == target)
        with self.database.transaction() as connection:
            found = select(DELIVERIES.c.id.label("delivery"), DELIVERIES.c.news, NOTIFICATIONS).join_from(
                DELIVERIES, NOTIFICATIONS
            )
            ordered = (
                found.where(NOTIFICATIONS.c.model == model, *due).order_by(DELIVERIES.c.id).limit(MOST_IN_A_MESSAGE)
            )
            rows = list(connection.execute(ordered))
            taken = (
                update(DELIVERIES)
                .where(DELIVERIES.c.id.in_([row.delivery for row in rows]), *due)
                .values(next_attempt_at=now + LEASE)
            )
            mine = set(connection.scalars(taken.returning(DELIVERIES.c.id)))
            return [Due(row.delivery, row.news, notification_of(row)) for row in rows if row.delivery in mine]

    def settle(self, due: Sequence[Due], error: str | None, now: datetime) -> None:
        """Note that what was claimed is delivered (no error), or why not: then it is tried again, each time later."""
        from sqlalchemy import select, update

        from ml_assets.resources.notifications.tables import DELIVERIES

        mine = DELIVERIES.c.id.in_([one.number for one in due])
        with self.database.transaction() as connection:
            for number, attempts in connection.execute(
                select(DELIVERIES.c.id, DELIVERIES.c.attempts).where(mine)
            ).all():
                made = attempts + 1
                told = {"delivered_at": now} if error is None else {"next_attempt_at": now + delay_before(made + 1)}
                noted = {"attempts": made, "last_error": redact(error or "", self._secrets), **told}
                connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == number).values(**noted))

    def open_count(self) -> int:
        """How many notifications are open, of all models."""
        from sqlalchemy import func, select

        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        with self.database.transaction() as connection:
            return connection.scalar(select(func.count()).where(NOTIFICATIONS.c.resolved_at.is_(None))) or 0

    def newest(self, most: int) -> list[Notification]:
        """The newest notifications, the open ones before the others."""
        from sqlalchemy import select

        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        order = (
            NOTIFICATIONS.c.resolved_at.is_not(None),
            NOTIFICATIONS.c.happened_at.desc(),
            NOTIFICATIONS.c.id.desc(),
        )
        with self.database.transaction() as connection:
            return [
                notification_of(row) for row in connection.execute(select(NOTIFICATIONS).order_by(*order).limit(most))
            ]

    def undelivered(self) -> list[Undelivered]:
        """What waits for each target, those that are configured no longer included."""
        from sqlalchemy import func, select

        from ml_assets.resources.notifications.tables import DELIVERIES

        of = DELIVERIES.c
        figures = (
            func.count().label("count"),
            func.max(of.attempts),
            func.min(of.next_attempt_at),
            func.max(of.last_error),
        )
        waiting = select(of.target, *figures).where(of.delivered_at.is_(None)).group_by(of.target).order_by(of.target)
        with self.database.transaction() as connection:
            return [Undelivered(*row) for row in connection.execute(waiting)]

    def _known(self, connection: "Connection", events: Sequence[NotificationEvent]) -> list[Notification]:
        from sqlalchemy import or_, select

        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        models, keys = {one.model for one in events}, {one.key for one in events if one.failed}
        matters = or_(NOTIFICATIONS.c.resolved_at.is_(None), NOTIFICATIONS.c.dedupe_key.in_(keys))
        found = select(NOTIFICATIONS).where(NOTIFICATIONS.c.model.in_(models), matters).order_by(NOTIFICATIONS.c.id)
        return [notification_of(row) for row in connection.execute(found)]

    def _insert(self, connection: "Connection", one: Notification, now: datetime) -> int | None:
        """The number of the new row; None when another process has written it meanwhile."""
        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        of = one.event
        row = {
            name: getattr(of, name)
            for name in ("run", "model", "partition", "kind", "severity", "detail", "link", "retried")
        }
        row |= {
            "message": redact(of.message, self._secrets),
            "assets": ",".join(sorted(of.assets)),
            "dedupe_key": of.key,
            "happened_at": of.at,
        }
        row |= {"created_at": now, "resolved_at": one.resolved_at, "resolved_by": one.resolved_by}
        row |= {"kind": of.kind.value, "severity": of.severity.value}
        return connection.scalar(
            self.database.insert_into(NOTIFICATIONS)
            .values(**row)
            .on_conflict_do_nothing()
            .returning(NOTIFICATIONS.c.id)
        )

    def _resolve(self, connection: "Connection", number: int, one: Notification) -> bool:
        """Whether it was this process that resolved it."""
        from sqlalchemy import update

        from ml_assets.resources.notifications.tables import NOTIFICATIONS

        row = (NOTIFICATIONS.c.id == number) & NOTIFICATIONS.c.resolved_at.is_(None)
        repaired = update(NOTIFICATIONS).where(row).values(resolved_at=one.resolved_at, resolved_by=one.resolved_by)
        return connection.execute(repaired).rowcount == 1

    def _to_be_told(
        self, connection: "Connection", number: int, news: Change, targets: Sequence[str], now: datetime
    ) -> None:
        from ml_assets.resources.notifications.tables import DELIVERIES

        fresh = {"notification_id": number, "news": news, "attempts": 0, "next_attempt_at": now, "last_error": ""}
        if targets:
            connection.execute(DELIVERIES.insert(), [{**fresh, "target": target} for target in targets])
