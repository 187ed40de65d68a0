"""Rows of the release ledger: conversion of moves to rows, and of rows to moves and release states."""

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
    """Return the rows that a move adds to the ledger, with LEDGER_ROWS_SCHEMA.

    Args:
        before: the release state before the move.
        move: the move; its `after` is the result of the function in `release_state` for its action and day.
        at: the current time, with a time zone.

    Raises:
        ValueError: when `after` is a different state, which the rows could not represent.
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
    result = _apply(before, rows)
    if result != move.after:
        raise ValueError(f"a release by {move.action} on {move.day} from {before} gives {result}, not {move.after}")
    return rows


def moves_of(rows: Iterable[Mapping[str, Any]]) -> list[Move]:
    """Return the moves of the rows of a ledger, in the order of their releases, whatever the order of the rows."""
    moves: list[Move] = []
    state = Release()
    for _, group in groupby(sorted(rows, key=lambda row: row["release"]), key=lambda row: row["release"]):
        move_rows = list(group)
        first, state = move_rows[0], _after(state, move_rows)
        moves.append(
            Move(first["action"], state, first["day"], first["actor"], first["reason"], json.loads(first["metrics"]))
        )
    return moves


def fold(rows: Iterable[Mapping[str, Any]]) -> list[tuple[date, Release]]:
    """Return the release state after each release, in order, with the first day of predictions that it affects, as
    `live_on` expects them.
    """
    return [(move.day, move.after) for move in moves_of(rows)]


def _after(before: Release, rows: Sequence[Mapping[str, Any]]) -> Release:
    """Return the release state after the rows of one release: aliases, share and pause from the rows, the rest from the
    action.
    """
    row, aliases = rows[0], _aliases(before, rows)
    return replace(_apply(before, rows), number=row["release"], percent=row["percent"], paused=row["paused"], **aliases)


def _apply(before: Release, rows: Sequence[Mapping[str, Any]]) -> Release:
    """Apply the action of a release to the state before, with the versions, day and share of its rows."""
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
            raise ValueError(f"release {row['release']}: the action {action!r} does not exist for these aliases")


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
