"""Manual releases: the release state after each command, and the commands that are refused."""

from datetime import date
from typing import Literal

from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.release.release_state import (
    Action,
    Move,
    Release,
    Version,
    describe_share,
    pause,
    promote,
    roll_back,
    start,
)

Command = Literal["rollback", "pause", "resume", "canary", "promote"]


class CannotRelease(ValueError):
    """A command that is not possible in the current release state; the message says why and what to do instead."""


def manual_move(
    canary: Canary | None,
    state: Release,
    command: Command,
    version: Version | None,
    day: date,
    actor: str,
    reason: str | None,
) -> Move:
    """Return the move of a manual command.

    Args:
        canary: the rules of the specification.
        state: the release state.
        command: rollback (of the canary or, without one, of the champion to the previous one), pause and resume (of
            automatic decisions), canary (of a version, at the first step) or promote (of a version to champion).
        version: the version, for canary and promote.
        day: first day of predictions that the move affects.
        actor: the person.
        reason: the reason; None when none was given.

    Raises:
        CannotRelease: when there is nothing to roll back, decisions are already paused or not paused, the version is
            already live, or no canary is possible.
    """
    action, after, description = _apply(canary, state, command, version, day)
    return Move(action, after, day, actor, reason or f"{description} by hand; no reason was given", {})


def _apply(
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
                raise CannotRelease(f"automatic decisions {'are already paused' if state.paused else 'are not paused'}")
            return command, pause(state, command == "pause"), f"automatic decisions were {command}d"
    if version is None:
        raise CannotRelease(f"{command} needs a version")
    if version == state.champion:
        raise CannotRelease(f"{version} is the champion already")
    if command == "promote":
        return "promote", promote(state, version), f"{version} was made the champion"
    if canary is None or canary.steps[0] == 100:
        raise CannotRelease(
            "the specification has no deployment.canary with a step below 100 percent; promote the version, or add a "
            "canary step"
        )
    if state.champion is None:
        raise CannotRelease("there is no champion that a canary could be compared with; promote a version first")
    if version == state.challenger:
        raise CannotRelease(f"{version} is already the canary, {describe_share(state.percent)}")
    description = f"{version} was made the canary {describe_share(canary.steps[0])}"
    return "replace" if state.challenger else "start", start(state, version, canary.steps[0], day), description
