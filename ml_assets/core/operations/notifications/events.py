"""Notification events: failures that open a notification, and successes that resolve it.

A failure has at most one open notification.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ml_assets.core.tables.day_ranges import parse_days


class Kind(StrEnum):
    """The kind of a notification."""

    RUN_FAILURE = "run_failure"
    FAILED_GATE = "failed_gate"
    REJECTED_DAY = "rejected_day"
    FAILED_CHECK = "failed_check"
    FRESHNESS = "freshness"
    ROLLBACK = "rollback"
    BROKEN_MODEL = "broken_model"


class Severity(StrEnum):
    """The severity of a notification: an error stops something that people depend on."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class NotificationEvent:
    """A failure, or a success that resolves an earlier failure.

    kind, model, partition, detail: the subject. partition is a day, a range of days `first...last`, empty, or another
    text for assets of the project's own; detail distinguishes events of the same day: the job, the check with its
    asset, the asset, or the number of the release.
    failed: whether it is a failure. at: the time, with a time zone. run: Dagster's run id; empty for an event outside
    of a run. message: one sentence for people. link: path of a page of Dagster's UI. assets: the assets of a run; empty
    for all assets of its job. retried: whether Dagster will retry a failed run.
    """

    kind: Kind
    model: str
    partition: str
    detail: str
    failed: bool
    at: datetime
    severity: Severity = Severity.ERROR
    message: str = ""
    run: str = ""
    link: str = ""
    assets: frozenset[str] = field(default_factory=frozenset)
    retried: bool = False

    @property
    def key(self) -> str:
        """The identity of a failure: at most one notification per key is open at a time."""
        assets = f"[{', '.join(sorted(self.assets))}]" if self.assets else ""
        # Do not change these words: the database contains keys with them.
        retried = " (tried again)" if self.retried else ""
        return " | ".join((self.kind, self.model, self.partition, f"{self.detail}{assets}{retried}"))


@dataclass(frozen=True)
class Notification:
    """A failure that people are notified of, and the event that resolved it; resolved_at is None while it is open."""

    event: NotificationEvent
    resolved_at: datetime | None = None
    resolved_by: str = ""
    number: int | None = None

    def is_replaced(self, events: Iterable[NotificationEvent]) -> bool:
        """Return whether one of these failures replaced it, which is no recovery."""
        return any(event.failed and event.at == self.resolved_at and replaces(event, self) for event in events)

    @property
    def is_open(self) -> bool:
        """Whether it is unresolved."""
        return self.resolved_at is None


def fold(known: Iterable[Notification], events: Iterable[NotificationEvent]) -> list[Notification]:
    """Apply events to notifications; return all notifications in the order in which they opened. The failure of the
    last attempt of a run closes the warning that the run would be retried.

    Applying an event again has no effect, so the same events may be read twice, or by two processes.

    Args:
        known: all open notifications of the models, and all notifications with the key of one of the failures.
        events: the events, in any order.
    """
    notifications = list(known)
    still_open = {index for index, notification in enumerate(notifications) if notification.is_open}
    by_key: dict[str, list[int]] = {}
    for index, notification in enumerate(notifications):
        by_key.setdefault(notification.event.key, []).append(index)
    for event in sorted(events, key=lambda event: (event.at, not event.failed, event.key)):
        if not event.failed:
            closed = [index for index in still_open if resolves(event, notifications[index])]
        else:
            closed = [index for index in still_open if replaces(event, notifications[index])]
        for index in closed:
            notifications[index] = replace(notifications[index], resolved_at=event.at, resolved_by=event.run)
            still_open.remove(index)
        if event.failed and not any(
            _covers_failure(notifications[index], event) for index in by_key.get(event.key, ())
        ):
            by_key.setdefault(event.key, []).append(len(notifications))
            still_open.add(len(notifications))
            notifications.append(Notification(event))
    return notifications


def _covers_failure(notification: Notification, failure: NotificationEvent) -> bool:
    """Return whether a notification with the same key already reports a failure."""
    if notification.event.at == failure.at or notification.resolved_at is None:
        return True
    return failure.at <= notification.resolved_at


def resolves(success: NotificationEvent, notification: Notification) -> bool:
    """Return whether a success resolves a notification.

    A run resolves the failures of its job that its days and assets cover. A check that passes on a day resolves its own
    failure on that day, and a gate its failures of earlier days as well, whose models the newer one replaces. A day
    that is accepted is no longer late. A promotion resolves every rollback before it.
    """
    failure = notification.event
    if success.failed or not notification.is_open or failure.model != success.model or failure.at > success.at:
        return False
    # All days of a run are evaluated at one time.
    is_of_one_run = failure.kind is success.kind is Kind.FAILED_GATE and failure.partition < success.partition
    if failure.at == success.at and not is_of_one_run:
        return False
    if failure.kind is Kind.FRESHNESS and success.kind is Kind.REJECTED_DAY:
        return (
            failure.partition == success.partition != ""
            and failure.detail.split(":")[0] == success.detail.split(":")[0]
        )
    if failure.kind is not success.kind:
        return False
    if failure.kind is Kind.ROLLBACK:
        return True
    if failure.detail != success.detail:
        return False
    if failure.kind is Kind.RUN_FAILURE:
        covers_assets = not success.assets or (bool(failure.assets) and failure.assets <= success.assets)
        return covers_assets and _covers(success.partition, failure.partition)
    if failure.kind is Kind.FAILED_GATE:
        return failure.partition <= success.partition
    return failure.partition == success.partition


def replaces(failure: NotificationEvent, notification: Notification) -> bool:
    """Return whether the failure of the last attempt replaces the warning that a run will be retried."""
    warning = notification.event
    return warning.retried and warning.at < failure.at and replace(warning, retried=False).key == failure.key


def _covers(days: str, others: str) -> bool:
    """Return whether the range `days` contains the range `others`. Runs without partitions cover each other, and those
    with partitions that are no days only runs of the same partitions.
    """
    try:
        (first, last), (begin, end) = parse_days(days), parse_days(others)
    except ValueError:
        return days == others
    return first <= begin and end <= last


def highest_severity(severities: Sequence[Severity]) -> Severity:
    """Return the highest of several severities; a warning when there is none."""
    return Severity.ERROR if Severity.ERROR in severities else Severity.WARNING


def delay_before(attempt: int) -> timedelta:
    """Return the delay before the second, third, ... attempt to deliver a message: 30 seconds, then twice as long each
    time, up to an hour.
    """
    return min(timedelta(seconds=30) * 2 ** min(max(attempt - 2, 0), 10), timedelta(hours=1))
