"""The notifications of all models, open ones first; or a message to every target, so that a person sees whether they
are reached.

python -m ml_assets.cli.commands.notifications [--test]
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ml_assets.core.operations.notifications.events import Notification, Severity
from ml_assets.core.operations.notifications.message import Message
from ml_assets.defs.environment import SETTINGS, notifier, outbox
from ml_assets.resources.notifications.database import NotificationsUnavailable
from ml_assets.resources.notifications.notifier import Notifier
from ml_assets.resources.notifications.outbox import Outbox, Undelivered

MOST_SHOWN = 50
COLOURS = {Severity.WARNING: "yellow", Severity.ERROR: "bold red"}
TEST = Message("ml_assets: a test", "- this is a test of the targets of ML_ASSETS_NOTIFY; nothing happened", "info")


def main(arguments: Sequence[str]) -> None:
    """Print the notifications, or send a test.

    Raises:
        SystemExit: with status 1 and a message, when the database cannot be used, a target is misspelt, there is none
            to test, or one is not reached.
    """
    parser = argparse.ArgumentParser(
        prog="python -m ml_assets.cli.commands.notifications",
        description="What people were told, and whether they are reached.",
    )
    parser.add_argument("--test", action="store_true", help="send a message to every target instead")
    console = Console()
    try:
        if parser.parse_args(arguments).test:
            test(console, notifier())
        else:
            show(console, outbox(SETTINGS))
    except (NotificationsUnavailable, ValueError) as problem:
        sys.exit(str(problem))


def show(console: Console, kept: Outbox) -> None:
    """The newest notifications, open ones first, and what could not be delivered yet."""
    found, open_count = kept.newest(MOST_SHOWN), kept.open_count()
    if not found:
        console.print("nothing has failed that anybody would be told of")
        return
    table = Table(
        "state", "at (UTC)", "model", "kind", "message", title=f"{open_count} open notifications", title_justify="left"
    )
    for one in found:
        table.add_row(
            _state(one),
            _time(one.event.at),
            *(escape(text) for text in (one.event.model, one.event.kind, one.event.message)),
        )
    console.print(table)
    for waits in kept.undelivered():
        console.print(f"[bold red]Not delivered:[/] {escape(_waits(waits))}", soft_wrap=True)


def test(console: Console, sender: Notifier) -> None:
    """A message to every target, with a line for each.

    Raises:
        SystemExit: when there is no target, or one does not take the message.
    """
    if not sender.targets:
        sys.exit(
            "no targets: set ML_ASSETS_NOTIFY, or ML_ASSETS_NOTIFY_FILE, to URLs as apprise has them (docs/notifications.md)"
        )
    problems = {target: sender.send(target, TEST) for target in sender.targets}
    for target, problem in problems.items():
        console.print(
            f"{target}: {f'[bold red]not reached[/]: {escape(problem)}' if problem else '[green]took it[/]'}",
            soft_wrap=True,
        )
    if any(problems.values()):
        sys.exit(1)


def _state(one: Notification) -> str:
    if one.resolved_at is not None:
        return f"[green]resolved[/] {_time(one.resolved_at)}"
    return f"[{COLOURS[one.event.severity]}]open {one.event.severity}[/]"


def _waits(waits: Undelivered) -> str:
    tried = (
        f"tried {waits.attempts} times, next at {_time(waits.next_attempt_at)}: {waits.last_error}"
        if waits.attempts
        else "not tried yet"
    )
    return f"{waits.count} to {waits.target}, {tried}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


if __name__ == "__main__":
    main(sys.argv[1:])
