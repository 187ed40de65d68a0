"""What is live, as the rows of the release ledger tell it, and the moves that a row records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
Action = Literal["start", "advance", "promote", "rollback", "replace", "pause", "resume", "adopt"]


@dataclass(frozen=True)
class Version:
    """A version in the registry: its number, the digest of its model, the day that the model is of."""

    number: int
    digest: str
    day: date

    def __str__(self) -> str:
        return f"version {self.number} of {self.day}"


@dataclass(frozen=True)
class Release:
    """What is live after a number of releases.

    number: of the last release; 0 before the first. champion: live for everybody whom the challenger is not live for.
    challenger: live for `percent` of the entities. previous: the champion before. step_since: first day of predictions
    of the present step, canary_since: of the canary. withdrawn: versions that were rolled back or replaced, which do
    not come up again by themselves.
    """

    number: int = 0
    champion: Version | None = None
    challenger: Version | None = None
    previous: Version | None = None
    percent: int = 0
    step_since: date | None = None
    canary_since: date | None = None
    paused: bool = False
    withdrawn: frozenset[int] = frozenset()

    @property
    def aliases(self) -> dict[str, Version | None]:
        """The version that each alias points to, None where there is no such alias."""
        return {CHAMPION: self.champion, CHALLENGER: self.challenger, PREVIOUS: self.previous}


@dataclass(frozen=True)
class Move:
    """One release: what somebody or something did at once.

    action: start (of a canary), advance (to a larger share), promote (to champion), rollback (of the canary, or of the
    champion to the previous one), replace (of the canary by a newer one), pause and resume (of automatic decisions),
    adopt (of what somebody moved in the registry itself). after: what is live from then on. day: first day of
    predictions that sees it. actor: the run or person. reason: one sentence for people. metrics: figures behind it.
    """

    action: Action
    after: Release
    day: date
    actor: str
    reason: str
    metrics: Mapping[str, float]


def start(state: Release, version: Version, percent: int, day: date) -> Release:
    """A version becomes the canary for a share of the entities; one that was the canary is withdrawn."""
    gone = frozenset() if state.challenger is None else frozenset({state.challenger.number})
    return replace(
        _next(state),
        challenger=version,
        percent=percent,
        step_since=day,
        canary_since=day,
        withdrawn=(state.withdrawn | gone) - {version.number},
    )


def advance(state: Release, percent: int, day: date) -> Release:
    """The canary goes on with a larger share."""
    return replace(_next(state), percent=percent, step_since=day)


def promote(state: Release, version: Version) -> Release:
    """A version becomes the champion; a canary other than it is withdrawn."""
    other = state.challenger is not None and state.challenger != version
    gone = frozenset({state.challenger.number}) if state.challenger and other else frozenset()
    return replace(
        _without_canary(_next(state)),
        champion=version,
        previous=state.champion,
        withdrawn=(state.withdrawn | gone) - {version.number},
    )


def roll_back(state: Release) -> Release:
    """The canary is withdrawn; without one the champion is, and the previous champion takes its place.

    Raises:
        ValueError: when there is neither a canary nor a previous champion.
    """
    if state.challenger is not None:
        return replace(_without_canary(_next(state)), withdrawn=state.withdrawn | {state.challenger.number})
    if state.champion is None or state.previous is None:
        raise ValueError("there is nothing to roll back: no canary is running, and there is no previous champion")
    return replace(
        _next(state), champion=state.previous, previous=None, withdrawn=state.withdrawn | {state.champion.number}
    )


def pause(state: Release, paused: bool) -> Release:
    """Automatic decisions stop, or go on."""
    return replace(_next(state), paused=paused)


def adopt(
    state: Release, champion: Version | None, challenger: Version | None, percent: int, paused: bool, day: date
) -> Release:
    """What somebody made live in the registry itself becomes what is live.

    A champion that gives way to a model of an earlier day is withdrawn, as by a rollback; one that gives way to a later
    one is the previous champion. A challenger that is no longer one, and is not the champion, is withdrawn. A canary
    that is compared with another model than before begins anew.

    Args:
        state: what was live before.
        champion: the version that the alias champion points to.
        challenger: the version that the alias challenger points to; the champion is no challenger.
        percent: of the entities, for the challenger.
        paused: whether automatic decisions are paused.
        day: the first day of predictions that sees it.
    """
    challenger = None if challenger == champion else challenger
    gone = {state.challenger} - {champion, challenger, None}
    previous = state.previous
    if champion != state.champion:
        back = bool(champion and state.champion and champion.day < state.champion.day)
        gone, previous = gone | ({state.champion} if back else set()), None if back else state.champion
    withdrawn = (state.withdrawn | {version.number for version in gone if version}) - {
        version.number for version in (champion, challenger) if version
    }
    found = replace(
        _next(state), champion=champion, challenger=challenger, previous=previous, paused=paused, withdrawn=withdrawn
    )
    if challenger is None:
        return _without_canary(found)
    if (champion, challenger) != (state.champion, state.challenger):
        return replace(found, percent=percent, step_since=day, canary_since=day)
    return replace(found, percent=percent, step_since=day if percent != state.percent else state.step_since)


def live_on(releases: Iterable[tuple[date, Release]], day: date) -> Release:
    """What is live for the rows of a day: the last release, in their order, whose day is not later; nothing before the
    first.
    """
    found = Release()
    for first_day, release in releases:
        if first_day <= day:
            found = release
    return found


def _next(state: Release) -> Release:
    return replace(state, number=state.number + 1)


def _without_canary(state: Release) -> Release:
    return replace(state, challenger=None, percent=0, step_since=None, canary_since=None)
