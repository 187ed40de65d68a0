"""The release state: the live versions, and the moves that change them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
Action = Literal["start", "advance", "promote", "rollback", "replace", "pause", "resume", "adopt"]


@dataclass(frozen=True)
class Version:
    """A version in the registry: its number, the digest of its model, and the day of the model.

    Versions with the same digest are equal, because a version that is registered again gets another number.
    """

    number: int = field(compare=False)
    digest: str
    day: date

    def __str__(self) -> str:
        return f"version {self.number} of {self.day}"


@dataclass(frozen=True)
class Release:
    """The release state after a number of releases.

    number: number of the last release; 0 before the first. champion: live for all entities for which the challenger is
    not. challenger: live for `percent` of the entities; at 0 percent it is in shadow. previous: the previous champion.
    step_since, canary_since: first day of predictions of the current step and of the canary. withdrawn: digests of the
    models that were rolled back or replaced, which automatic decisions never release again, whatever number they get in
    the registry.
    """

    number: int = 0
    champion: Version | None = None
    challenger: Version | None = None
    previous: Version | None = None
    percent: int = 0
    step_since: date | None = None
    canary_since: date | None = None
    paused: bool = False
    withdrawn: frozenset[str] = frozenset()

    @property
    def aliases(self) -> dict[str, Version | None]:
        """The version that each alias points to; None for an alias that does not exist."""
        return {CHAMPION: self.champion, CHALLENGER: self.challenger, PREVIOUS: self.previous}


def describe_share(percent: int) -> str:
    """Describe the share of a challenger, as in `version 7, for 5 percent of the entities`."""
    return f"for {percent} percent of the entities" if percent else "in shadow"


@dataclass(frozen=True)
class Move:
    """One release: an action by a run or a person.

    action: start (of a canary), advance (to a larger share), promote (to champion), rollback (of the canary, or of the
    champion to the previous one), replace (of the canary by a newer one), pause and resume (of automatic decisions),
    adopt (of changes that somebody made in the registry). after: the release state after the move. day: first day of
    predictions that it affects. actor: the run or person. reason: one sentence for people. metrics: metrics behind the
    decision.
    """

    action: Action
    after: Release
    day: date
    actor: str
    reason: str
    metrics: Mapping[str, float]


def start(state: Release, version: Version, percent: int, day: date) -> Release:
    """Make a version the canary for a share of the entities; withdraw the previous canary."""
    withdrawn = frozenset() if state.challenger is None else frozenset({state.challenger.digest})
    return replace(
        _next(state),
        challenger=version,
        percent=percent,
        step_since=day,
        canary_since=day,
        withdrawn=(state.withdrawn | withdrawn) - {version.digest},
    )


def advance(state: Release, percent: int, day: date) -> Release:
    """Give the canary a larger share of the entities."""
    return replace(_next(state), percent=percent, step_since=day)


def promote(state: Release, version: Version) -> Release:
    """Make a version the champion; withdraw a canary of another version."""
    is_other = state.challenger is not None and state.challenger != version
    withdrawn = frozenset({state.challenger.digest}) if state.challenger and is_other else frozenset()
    return replace(
        _without_canary(_next(state)),
        champion=version,
        previous=state.champion,
        withdrawn=(state.withdrawn | withdrawn) - {version.digest},
    )


def roll_back(state: Release) -> Release:
    """Withdraw the canary; without one, withdraw the champion and restore the previous champion.

    Raises:
        ValueError: when there is neither a canary nor a previous champion.
    """
    if state.challenger is not None:
        return replace(_without_canary(_next(state)), withdrawn=state.withdrawn | {state.challenger.digest})
    if state.champion is None or state.previous is None:
        raise ValueError("there is nothing to roll back: no canary is running, and there is no previous champion")
    return replace(
        _next(state), champion=state.previous, previous=None, withdrawn=state.withdrawn | {state.champion.digest}
    )


def pause(state: Release, paused: bool) -> Release:
    """Pause or resume automatic decisions."""
    return replace(_next(state), paused=paused)


def adopt(
    state: Release, champion: Version | None, challenger: Version | None, percent: int, paused: bool, day: date
) -> Release:
    """Adopt the versions that somebody made live in the registry.

    A champion that is replaced by a model of an earlier day is withdrawn, as in a rollback; one that is replaced by a
    later model becomes the previous champion. A former challenger that is not the champion is withdrawn. A canary whose
    champion changed starts again.

    Args:
        state: the release state before.
        champion: the version that the alias champion points to.
        challenger: the version that the alias challenger points to; ignored if it is the champion.
        percent: share of the entities for the challenger.
        paused: whether automatic decisions are paused.
        day: first day of predictions that the change affects.
    """
    challenger = None if challenger == champion else challenger
    newly_withdrawn = {state.challenger} - {champion, challenger, None}
    previous = state.previous
    if champion != state.champion:
        is_rollback = bool(champion and state.champion and champion.day < state.champion.day)
        newly_withdrawn |= {state.champion} if is_rollback else set()
        previous = None if is_rollback else state.champion
    withdrawn = (state.withdrawn | {version.digest for version in newly_withdrawn if version}) - {
        version.digest for version in (champion, challenger) if version
    }
    adopted = replace(
        _next(state), champion=champion, challenger=challenger, previous=previous, paused=paused, withdrawn=withdrawn
    )
    if challenger is None:
        return _without_canary(adopted)
    if (champion, challenger) != (state.champion, state.challenger):
        return replace(adopted, percent=percent, step_since=day, canary_since=day)
    return replace(adopted, percent=percent, step_since=day if percent != state.percent else state.step_since)


def live_on(releases: Iterable[tuple[date, Release]], day: date) -> Release:
    """Return the release state for the rows of a day: the state after the last release, in order, whose day is not
    later, or an empty state before the first.
    """
    live = Release()
    for first_day, release in releases:
        if first_day <= day:
            live = release
    return live


def _next(state: Release) -> Release:
    return replace(state, number=state.number + 1)


def _without_canary(state: Release) -> Release:
    return replace(state, challenger=None, percent=0, step_since=None, canary_since=None)
