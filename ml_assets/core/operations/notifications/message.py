"""One message for several notifications of a model: a title, a limited number of lines, and a count."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ml_assets.core.operations.notifications.events import Kind, Notification, Severity, highest_severity

MAX_LINES = 12
MAX_CHARACTERS = 300
Change = Literal["opened", "resolved"]
Urgency = Literal["failure", "warning", "info", "success"]
NAMES = {
    Kind.RUN_FAILURE: ("failed run", "failed runs"),
    Kind.FAILED_GATE: ("failed gate", "failed gates"),
    Kind.REJECTED_DAY: ("rejected day", "rejected days"),
    Kind.FAILED_CHECK: ("failed check", "failed checks"),
    Kind.FRESHNESS: ("late day", "late days"),
    Kind.ROLLBACK: ("rollback", "rollbacks"),
    Kind.BROKEN_MODEL: ("broken model", "broken models"),
}


@dataclass(frozen=True)
class Message:
    """A message to send. urgency: one of apprise's message types; `success` if no notification of any model is open."""

    title: str
    body: str
    urgency: Urgency


def compose(model: str, changes: Sequence[tuple[Change, Notification]], ui: str, open_count: int) -> Message:
    """Compose one message for all changes of a model's notifications: opened ones before resolved ones, errors first,
    at most `MAX_LINES` lines of each.

    Args:
        model: name of the model.
        changes: the opened and resolved notifications, at least one.
        ui: address of Dagster's webserver, without a trailing slash; if empty (unknown), the message has no links.
        open_count: number of open notifications of all models.
    """
    failed = [notification for change, notification in changes if change == "opened"]
    resolved = [notification for change, notification in changes if change == "resolved"]
    failed.sort(key=_by_severity)
    counted = [part for part in (_counted(failed), f"resolved: {_counted(resolved)}" if resolved else "") if part]
    lines = [*_lines(failed, "", ui), *_lines(resolved, "resolved: ", ui)]
    worst = highest_severity([notification.event.severity for notification in failed])
    urgency: Urgency = (
        ("failure" if worst is Severity.ERROR else "warning") if failed else "info" if open_count else "success"
    )
    return Message(f"{model}: {'; '.join(counted)}", "\n".join([*lines, f"{open_count} open in total"]), urgency)


def _by_severity(notification: Notification) -> tuple[bool, str, str, str]:
    event = notification.event
    return event.severity is not Severity.ERROR, event.kind, event.partition, event.detail


def shorten(text: str) -> str:
    """Shorten a text to one line of at most `MAX_CHARACTERS`. The last sentence with a command stays whole if it takes
    at most two thirds of them.
    """
    line = " ".join(text.split())
    if len(line) <= MAX_CHARACTERS:
        return line
    commands = [sentence for sentence in line.split(". ") if sentence.count("`") >= 2]
    end = f" {commands[-1].removesuffix('.')}." if commands else ""
    if len(end) > MAX_CHARACTERS * 2 // 3 or line.startswith(end.strip()):
        end = ""
    return f"{line[: MAX_CHARACTERS - 3 - len(end)]}...{end}"


def _counted(notifications: Sequence[Notification]) -> str:
    counts = Counter(notification.event.kind for notification in notifications)
    return ", ".join(
        f"{count} {NAMES[kind][count > 1]}"
        for kind, count in sorted(counts.items(), key=lambda item: list(Kind).index(item[0]))
    )


def _lines(notifications: Sequence[Notification], prefix: str, ui: str) -> list[str]:
    lines = [
        f"- {prefix}{notification.event.message}{_link(notification, ui)}" for notification in notifications[:MAX_LINES]
    ]
    more = len(notifications) - len(lines)
    return [*lines, *([f"- {prefix}and {more} more"] if more > 0 else [])]


def _link(notification: Notification, ui: str) -> str:
    return f" {ui}{notification.event.link}" if ui and notification.event.link else ""
