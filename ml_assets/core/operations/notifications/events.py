"""What people are told of: failures that open a notification, and successes that resolve it; of the same failure there
is one open notification.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ml_assets.core.tables.day_ranges import parse_days


class Kind(StrEnum):
    """What a notification is about."""

    RUN_FAILURE = "run_failure"
    FAILED_GATE = "failed_gate"
    REJECTED_DAY = "rejected_day"
    FAILED_CHECK = "failed_check"
    FRESHNESS = "freshness"
    ROLLBACK = "rollback"


class Severity(StrEnum):
    """How grave it is: an error stops something that somebody waits for."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class NotificationEvent:
    """Something that failed, or that went well and so repairs what failed before.

    kind, model, partition, detail: what it is about. partition is a day, a range of days `first...last`, or empty;
    detail says what else tells it apart from others of the day: the job, the check with its asset, the asset, the
    number of the release. failed: whether it failed. at: when, with a zone. run: Dagster's identifier, empty where no
    run did it. message: one sentence for people. link: path of a page of Dagster's UI. assets: what a run made; empty
    for all assets of its job. retried: whether a failed run will be tried again.
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
        """The same for all that is one failure: of a key, one notification is open at a time."""
        made = f"[{', '.join(sorted(self.assets))}]" if self.assets else ""
        return " | ".join(
            (self.kind, self.model, self.partition, f"{self.detail}{made}{' (tried again)' if self.retried else ''}")
        )


@dataclass(frozen=True)
class Notification:
    """A failure that people are told of, and what repaired it; resolved_at is None while it is open."""

    event: NotificationEvent
    resolved_at: datetime | None = None
    resolved_by: str = ""
    number: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing has repaired it yet."""
        return self.resolved_at is None


def fold(known: Iterable[Notification], events: Iterable[NotificationEvent]) -> list[Notification]:
    """The notifications after what happened, those that were known included, in the order in which they opened.

    What was told before changes nothing when it is told again, so the same events may be read twice, or by two
    processes.

    Args:
        known: all open notifications of the models, and all of the keys that failed.
        events: in any order.
    """
    found = list(known)
    still_open = {place for place, notification in enumerate(found) if notification.is_open}
    of_key: dict[str, list[int]] = {}
    for place, notification in enumerate(found):
        of_key.setdefault(notification.event.key, []).append(place)
    for one in sorted(events, key=lambda event: (event.at, not event.failed, event.key)):
        if not one.failed:
            for place in [place for place in still_open if repairs(one, found[place])]:
                found[place] = replace(found[place], resolved_at=one.at, resolved_by=one.run)
                still_open.remove(place)
        elif not any(_tells(found[place], one) for place in of_key.get(one.key, ())):
            of_key.setdefault(one.key, []).append(len(found))
            still_open.add(len(found))
            found.append(Notification(one))
    return found


def _tells(notification: Notification, failure: NotificationEvent) -> bool:
    """Whether a notification of the same key already says what a failure says."""
    if notification.event.at == failure.at or notification.resolved_at is None:
        return True
    return failure.at <= notification.resolved_at


def repairs(success: NotificationEvent, notification: Notification) -> bool:
    """Whether something that went well repairs what a notification is about.

    A run repairs the failures of its job that its days and assets cover. A check that passes on a day repairs its own
    failure on that day; a day that is accepted is also there, however late. A promotion repairs every rollback before
    it.
    """
    failure = notification.event
    if success.failed or not notification.is_open or failure.model != success.model or failure.at >= success.at:
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
        made_all = not success.assets or (bool(failure.assets) and failure.assets <= success.assets)
        return made_all and _covers(success.partition, failure.partition)
    return failure.partition == success.partition


def _covers(days: str, others: str) -> bool:
    """Whether one range of days lies within another; runs without days cover each other."""
    if not days or not others:
        return days == others
    (first, last), (begin, end) = parse_days(days), parse_days(others)
    return first <= begin and end <= last


def gravest(severities: Sequence[Severity]) -> Severity:
    """The gravest of several severities; a warning when there is none."""
    return Severity.ERROR if Severity.ERROR in severities else Severity.WARNING


def wait_before(attempt: int) -> timedelta:
    """How long to wait before the second, third, ... attempt to deliver a message: half a minute, then twice as long
    each time, up to an hour.
    """
    return min(timedelta(seconds=30) * 2 ** min(max(attempt - 2, 0), 10), timedelta(hours=1))
