"""Rows of the release ledger: what a move writes, and the moves and states that rows tell of."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from ml_assets.core.release.release_state import (
    CHALLENGER,
    CHAMPION,
    PREVIOUS,
    Move,
    Release,
    Version,
    adopt,
    advance,
    pause,
    promote,
    roll_back,
    start,
)

_ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)


def rows_of(before: Release, move: Move, at: datetime) -> list[dict[str, Any]]:
    """The rows that a move adds to the ledger, as LEDGER_ROWS has them.

    Args:
        before: what is live before it.
        move: the move; its `after` is what the functions of `core.releases` make of `before` for its action and day.
        at: now, with a zone.

    Raises:
        ValueError: when `after` is something else than action and day say, so that the rows would not tell of it.
    """
    old, new = before.aliases, move.after.aliases
    moved = [alias for alias in _ALIASES if old[alias] != new[alias]] or [
        CHALLENGER if move.after.challenger else CHAMPION
    ]
    rows = [
        {
            "release": move.after.number,
            "at": at.astimezone(UTC),
            "day": move.day,
            "actor": move.actor,
            "action": move.action,
            "alias": alias,
            **_named("from", old[alias]),
            **_named("to", new[alias]),
            "to_day": _day(new[alias]),
            "percent": move.after.percent,
            "paused": move.after.paused,
            "reason": move.reason,
            "metrics": json.dumps(dict(move.metrics), sort_keys=True, allow_nan=False),
        }
        for alias in moved
    ]
    told = _made(before, rows)
    if told != move.after:
        raise ValueError(f"a release by {move.action} on {move.day} from {before} gives {told}, not {move.after}")
    return rows


def moves_of(rows: Iterable[Mapping[str, Any]]) -> list[Move]:
    """The moves that the rows of a ledger tell of, in their order, whatever the order of the rows."""
    moves: list[Move] = []
    state = Release()
    for _, group in groupby(sorted(rows, key=lambda row: row["release"]), key=lambda row: row["release"]):
        of_move = list(group)
        first, state = of_move[0], _after(state, of_move)
        moves.append(
            Move(first["action"], state, first["day"], first["actor"], first["reason"], json.loads(first["metrics"]))
        )
    return moves


def fold(rows: Iterable[Mapping[str, Any]]) -> list[tuple[date, Release]]:
    """What was live after each release, in their order, with the first day of predictions that sees it: what `live_on`
    takes.
    """
    return [(move.day, move.after) for move in moves_of(rows)]


def _after(before: Release, rows: Sequence[Mapping[str, Any]]) -> Release:
    """What is live after the rows of one release: what they say of aliases, share and pause; the rest as the action
    makes it.
    """
    row, aliases = rows[0], _aliases(before, rows)
    return replace(_made(before, rows), number=row["release"], percent=row["percent"], paused=row["paused"], **aliases)


def _made(before: Release, rows: Sequence[Mapping[str, Any]]) -> Release:
    """What the action of a release makes of the state before, with the versions, day and share of its rows."""
    row, aliases = rows[0], _aliases(before, rows)
    champion, challenger, day, percent = aliases[CHAMPION], aliases[CHALLENGER], row["day"], row["percent"]
    match row["action"]:
        case "start" | "replace" if challenger:
            return start(before, challenger, percent, day)
        case "advance":
            return advance(before, percent, day)
        case "promote" if champion:
            return promote(before, champion)
        case "rollback":
            return roll_back(before)
        case "pause" | "resume":
            return pause(before, row["action"] == "pause")
        case "adopt":
            return adopt(before, champion, challenger, percent, row["paused"], day)
        case action:
            raise ValueError(f"release {row['release']}: there is no action {action!r} of these aliases")


def _aliases(before: Release, rows: Sequence[Mapping[str, Any]]) -> dict[str, Version | None]:
    return {**before.aliases, **{row["alias"]: _version(row) for row in rows}}


def _named(part: str, version: Version | None) -> dict[str, Any]:
    return {
        f"{part}_version": version.number if version else None,
        f"{part}_digest": version.digest if version else None,
    }


def _day(version: Version | None) -> date | None:
    return version.day if version else None


def _version(row: Mapping[str, Any]) -> Version | None:
    return None if row["to_version"] is None else Version(row["to_version"], row["to_digest"], row["to_day"])
