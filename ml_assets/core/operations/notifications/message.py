"""The message that several notifications of a model become: a title, a few lines and a count, however many there
are.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ml_assets.core.operations.notifications.events import Kind, Notification, Severity, gravest

MOST_LINES = 12
MOST_CHARACTERS = 300
News = Literal["opened", "resolved"]
Urgency = Literal["failure", "warning", "info", "success"]
NAMES = {
    Kind.RUN_FAILURE: ("failed run", "failed runs"),
    Kind.FAILED_GATE: ("failed gate", "failed gates"),
    Kind.REJECTED_DAY: ("rejected day", "rejected days"),
    Kind.FAILED_CHECK: ("failed check", "failed checks"),
    Kind.FRESHNESS: ("late day", "late days"),
    Kind.ROLLBACK: ("rollback", "rollbacks"),
}


@dataclass(frozen=True)
class Message:
    """What is sent. urgency: in apprise's words; `success` says that nothing of any model is open any more."""

    title: str
    body: str
    urgency: Urgency


def compose(model: str, news: Sequence[tuple[News, Notification]], ui: str, open_left: int) -> Message:
    """One message of all that is new of a model: what failed before what is resolved, the gravest first, at most
    `MOST_LINES` lines of each.

    Args:
        model: whose they are.
        news: what is to be told, at least one.
        ui: address of Dagster's webserver, without a slash at its end; empty where none is known, and then nothing is
            linked.
        open_left: how many notifications are open, of all models.
    """
    failed = [notification for what, notification in news if what == "opened"]
    resolved = [notification for what, notification in news if what == "resolved"]
    failed.sort(
        key=lambda one: (
            one.event.severity is not Severity.ERROR,
            one.event.kind,
            one.event.partition,
            one.event.detail,
        )
    )
    counted = [part for part in (_counted(failed), f"resolved: {_counted(resolved)}" if resolved else "") if part]
    lines = [*_lines(failed, "", ui), *_lines(resolved, "resolved: ", ui)]
    worst = gravest([one.event.severity for one in failed])
    urgency: Urgency = (
        ("failure" if worst is Severity.ERROR else "warning") if failed else "info" if open_left else "success"
    )
    return Message(f"{model}: {'; '.join(counted)}", "\n".join([*lines, f"{open_left} open in all"]), urgency)


def shortened(text: str) -> str:
    """A text in one line of at most `MOST_CHARACTERS`."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 3]}..."


def _counted(notifications: Sequence[Notification]) -> str:
    counts = Counter(one.event.kind for one in notifications)
    return ", ".join(
        f"{count} {NAMES[kind][count > 1]}"
        for kind, count in sorted(counts.items(), key=lambda found: list(Kind).index(found[0]))
    )


def _lines(notifications: Sequence[Notification], before: str, ui: str) -> list[str]:
    shown = [f"- {before}{one.event.message}{_link(one, ui)}" for one in notifications[:MOST_LINES]]
    more = len(notifications) - len(shown)
    return [*shown, *([f"- {before}and {more} more"] if more > 0 else [])]


def _link(notification: Notification, ui: str) -> str:
    return f" {ui}{notification.event.link}" if ui and notification.event.link else ""
