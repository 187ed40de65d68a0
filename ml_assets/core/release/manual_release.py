"""Releases by hand: what each command makes of what is live, and when it makes no sense."""

from datetime import date
from typing import Literal

from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.release.release_state import Action, Move, Release, Version, pause, promote, roll_back, start

Command = Literal["rollback", "pause", "resume", "canary", "promote"]


class CannotRelease(ValueError):
    """A command makes no sense for what is live; the message says why and what to do instead."""


def manual_move(
    canary: Canary | None,
    state: Release,
    command: Command,
    version: Version | None,
    day: date,
    actor: str,
    reason: str | None,
) -> Move:
    """The release that somebody asks for.

    Args:
        canary: the specification's rules.
        state: what is live.
        command: rollback (of the canary, or without one of the champion to the previous one), pause and resume (of
            automatic decisions), canary (of a version, at the first step) or promote (a version to champion).
        version: what is put up, for canary and promote.
        day: first day of predictions that sees it.
        actor: who.
        reason: why; None when nobody said it.

    Raises:
        CannotRelease: when there is nothing to roll back, decisions are paused already or are not, the version is live
            already, or there can be no canary.
    """
    action, after, said = _asked(canary, state, command, version, day)
    return Move(action, after, day, actor, reason or f"{said} by hand; no reason was given", {})


def _asked(
    canary: Canary | None, state: Release, command: Command, version: Version | None, day: date
) -> tuple[Action, Release, str]:
    match command:
        case "rollback":
            try:
                return "rollback", roll_back(state), f"{state.challenger or state.champion} was rolled back"
            except ValueError as error:
                raise CannotRelease(str(error)) from error
        case "pause" | "resume":
            if state.paused == (command == "pause"):
                raise CannotRelease(f"automatic decisions {'are paused already' if state.paused else 'are not paused'}")
            return command, pause(state, command == "pause"), f"automatic decisions were {command}d"
    if version is None:
        raise CannotRelease(f"{command} needs a version")
    if version == state.champion:
        raise CannotRelease(f"{version} is the champion already")
    if command == "promote":
        return "promote", promote(state, version), f"{version} was made the champion"
    if canary is None or canary.steps[0] == 100:
        raise CannotRelease(
            "the specification has no deployment.canary with a step below 100 percent; promote the version, or write one"
        )
    if state.champion is None:
        raise CannotRelease("there is no champion that a canary could be compared with; promote a version first")
    if version == state.challenger:
        raise CannotRelease(f"{version} is the canary already, for {state.percent} percent of the entities")
    said = f"{version} was made the canary for {canary.steps[0]} percent of the entities"
    return "replace" if state.challenger else "start", start(state, version, canary.steps[0], day), said
