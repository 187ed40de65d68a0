"""The notifications of all models, open ones first, and a test message to every target."""

import sys
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ml_assets.cli.command_inputs import require_settings
from ml_assets.cli.console.tables import print_table
from ml_assets.cli.json_output.reports import (
    NotificationReport,
    NotificationsReport,
    TestMessageReport,
    UndeliveredReport,
)
from ml_assets.cli.verb import publish, wants_json
from ml_assets.core.operations.notifications.events import Notification, Severity
from ml_assets.core.operations.notifications.message import Message
from ml_assets.defs.environment import notifier, outbox
from ml_assets.resources.notifications.database import NotificationsUnavailable
from ml_assets.resources.notifications.notifier import Notifier
from ml_assets.resources.notifications.outbox import Outbox, Undelivered

MOST_SHOWN = 50
COLOURS = {Severity.WARNING: "yellow", Severity.ERROR: "bold red"}
TEST = Message("ml_assets: a test", "- this is a test of the targets of ML_ASSETS_NOTIFY; nothing has failed", "info")


def list_notifications() -> None:
    """Print the newest notifications, and the messages that could not be delivered yet.

    Raises:
        SystemExit: with a message, when the database of notifications cannot be used.
    """
    try:
        kept = outbox(require_settings())
        _print_notifications(Console(), kept)
        if wants_json():
            publish(_describe_notifications(kept))
    except NotificationsUnavailable as problem:
        sys.exit(str(problem))


def send_test_message() -> None:
    """Send a message to every target, and print whether each accepted it.

    Raises:
        SystemExit: when there is no target, a URL is not valid, or a target does not accept the message.
    """
    require_settings()
    try:
        _send_test(Console(), notifier())
    except ValueError as problem:
        sys.exit(str(problem))


def _print_notifications(console: Console, kept: Outbox) -> None:
    notifications, open_count = kept.newest(MOST_SHOWN), kept.open_count()
    if not notifications:
        console.print(
            "No notifications. The Dagster daemon records them; `ml-assets doctor` says whether it runs.",
            soft_wrap=True,
        )
        return
    table = Table(
        "state", "at (UTC)", "model", "kind", "message", title=f"{open_count} open notifications", title_justify="left"
    )
    for notification in notifications:
        event = notification.event
        table.add_row(
            _state(notification),
            _time(event.at),
            *(escape(text) for text in (event.model, event.kind, event.message)),
        )
    print_table(console, table)
    for messages in kept.undelivered():
        console.print(f"[bold red]Not delivered:[/] {escape(_delivery_state(messages))}", soft_wrap=True)


def _send_test(console: Console, sender: Notifier) -> None:
    if not sender.targets:
        sys.exit("no targets: set ML_ASSETS_NOTIFY or ML_ASSETS_NOTIFY_FILE to apprise URLs (docs/how-to/alerts.md)")
    problems = {target: sender.send(target, TEST) for target in sender.targets}
    for target, problem in problems.items():
        console.print(
            f"{target}: {f'[bold red]not reached[/]: {escape(problem)}' if problem else '[green]accepted[/]'}",
            soft_wrap=True,
        )
    publish(TestMessageReport(targets=problems))
    if any(problems.values()):
        sys.exit(1)


def _describe_notifications(kept: Outbox) -> NotificationsReport:
    return NotificationsReport(
        open=kept.open_count(),
        notifications=[
            NotificationReport(
                is_open=notification.is_open,
                severity=notification.event.severity,
                at=notification.event.at,
                resolved_at=notification.resolved_at,
                model=notification.event.model,
                kind=notification.event.kind,
                partition=notification.event.partition,
                message=notification.event.message,
            )
            for notification in kept.newest(MOST_SHOWN)
        ],
        undelivered=[UndeliveredReport(**vars(messages)) for messages in kept.undelivered()],
    )


def _state(notification: Notification) -> str:
    if notification.resolved_at is not None:
        return f"[green]resolved[/] {_time(notification.resolved_at)}"
    return f"[{COLOURS[notification.event.severity]}]open {notification.event.severity}[/]"


def _delivery_state(messages: Undelivered) -> str:
    if not messages.attempts:
        return f"{messages.count} to {messages.target}, not tried yet"
    return (
        f"{messages.count} to {messages.target}, tried {messages.attempts} times, "
        f"next at {_time(messages.next_attempt_at)}: {messages.last_error}"
    )


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
