"""The release ledger and the live versions as text."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ml_assets.cli.console.tables import print_table
from ml_assets.core.release.deployment_manifest import champion_row
from ml_assets.core.release.ledger_rows import moves_of
from ml_assets.core.release.release_state import Move, Release, Version, describe_share

MOST_FIGURES = 4
AUTOMATIC = "automatic, one with the deployment of each day"


def print_releases(
    console: Console,
    model: str,
    rows: Sequence[Mapping[str, Any]],
    deployed: Mapping[str, Any] | None,
    target: str,
    problems: Sequence[str],
) -> None:
    """Print every release in a few lines that fit a narrow terminal, the newest last, then the live versions.

    Args:
        console: the console to print to.
        model: name of the model.
        rows: the rows of the ledger, in the order of the releases.
        deployed: the metadata of the deploy target; None when it is empty.
        target: location of the deploy target.
        problems: differences from the ledger that could not be removed.
    """
    moves = moves_of(rows)
    if not moves:
        console.print(f"{model}: nothing has been released yet")
        return
    table = Table(
        "release", "when (UTC), who", "what", "why", title=f"Releases of {model}", title_justify="left", show_lines=True
    )
    for move, (_, move_rows) in zip(moves, groupby(rows, key=lambda row: row["release"]), strict=True):
        aliases = list(move_rows)
        when = f"{_time(aliases[0]['at'])}\nfor {move.day}\n{move.actor}"
        what = f"{move.action}\n{_alias_changes(aliases)}share {move.after.percent} %"
        table.add_row(*(escape(text) for text in [str(move.after.number), when, what, _reason(move)]))
    print_table(console, table)
    _print_live(console, rows, moves)
    version = f"version {deployed['version']} of {deployed['day']}" if deployed else "nothing"
    console.print(f"Deployed      {version}, under {escape(target.rstrip('/'))}/{model}", soft_wrap=True)
    print_differences(console, problems)


def explain_not_live(state: Release, version: Version) -> str:
    """Explain why a version that passed its gates is neither the champion nor the challenger."""
    if version.digest in state.withdrawn:
        return "it was rolled back or replaced, and does not go live again by itself"
    if any(version.day <= live.day for live in (state.champion, state.challenger) if live is not None):
        return "by itself only a model of a later day replaces it"
    if state.paused:
        return "automatic decisions are paused"
    if state.challenger is not None:
        return f"the canary, version {state.challenger.number}, is decided first"
    return "the next daily run decides on it"


def print_differences(console: Console, differences: Sequence[str]) -> None:
    """Print the differences of MLflow and the deploy target from the ledger, each with its remedy."""
    for difference in differences:
        console.print(f"[bold red]Differs from the ledger:[/] {escape(difference)}", soft_wrap=True)


def _print_live(console: Console, rows: Sequence[Mapping[str, Any]], moves: Sequence[Move]) -> None:
    state, champion = moves[-1].after, champion_row(rows)
    since = (
        f", since release {champion['release']} of {_time(champion['at'])}, predictions from {champion['day']} on"
        if champion
        else ""
    )
    console.print(f"Champion      {state.champion or 'none'}{since}", soft_wrap=True)
    canary = (
        f"{state.challenger} {describe_share(state.percent)} since {state.step_since}, canary since "
        f"{state.canary_since}"
    )
    console.print(f"Canary        {canary if state.challenger else 'none'}", soft_wrap=True)
    console.print(f"Previous      {state.previous or 'none'}")
    paused = next((move for move in reversed(moves) if move.action == "pause"), None)
    by = f" by {escape(paused.actor)}: {escape(paused.reason)}" if paused else ""
    console.print(f"Decisions     {f'[bold yellow]paused[/]{by}' if state.paused else AUTOMATIC}", soft_wrap=True)


def _alias_changes(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(
        f"{row['alias']} {row['from_version'] or '-'} to {row['to_version'] or '-'}\n"
        for row in rows
        if _has_moved(row)
    )


def _has_moved(row: Mapping[str, Any]) -> bool:
    return row["from_digest"] != row["to_digest"]


def _reason(move: Move) -> str:
    figures = ", ".join(f"{name} {value:.4g}" for name, value in list(move.metrics.items())[:MOST_FIGURES])
    more = f" and {len(move.metrics) - MOST_FIGURES} more" if len(move.metrics) > MOST_FIGURES else ""
    return f"{move.reason}{f' ({figures}{more})' if figures else ''}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
