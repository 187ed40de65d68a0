"""What a registry shows of a release, and in which order it is brought up to date so that a reader sees something right
at any time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, PREVIOUS, Release

RELEASE_TAG, PERCENT_TAG, PAUSED_TAG = "release", "canary_percent", "paused"
ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)


@dataclass(frozen=True)
class RegistryState:
    """What is seen of the registered model in one request.

    aliases: version number by alias, of those that there are. percent: of the entities, for the challenger. release:
    number of the last release that was carried out in full; 0 before the first.
    """

    aliases: Mapping[str, int]
    percent: int = 0
    paused: bool = False
    release: int = 0

    @classmethod
    def of(cls, aliases: Mapping[str, str | int], tags: Mapping[str, str]) -> "RegistryState":
        """From aliases and tags of the registered model; a share or number that is none counts as 0."""
        known = {alias: int(version) for alias, version in aliases.items() if alias in ALIASES}
        return cls(
            known, _number(tags.get(PERCENT_TAG)), tags.get(PAUSED_TAG) == "true", _number(tags.get(RELEASE_TAG))
        )


@dataclass(frozen=True)
class Change:
    """One request: an alias is pointed to a version, or a tag of the registered model set; None takes the alias
    away.
    """

    kind: str
    name: str
    value: str | None


def registry_state_of(state: Release, numbers: Mapping[str, int]) -> RegistryState:
    """What is to be shown of a state.

    Args:
        state: what is live.
        numbers: version number by digest in the registry; a version that is not there gets no alias.
    """
    found = {alias: numbers.get(version.digest) for alias, version in state.aliases.items() if version}
    aliases = {alias: number for alias, number in found.items() if number is not None}
    return RegistryState(aliases, state.percent if CHALLENGER in aliases else 0, state.paused, state.number)


def changes(shown: RegistryState, wanted: RegistryState) -> list[Change]:
    """The requests that bring the registry from what it shows to what is wanted, without the tag of the release.

    After each of them every entity has the version that it had, or the one that it gets: a smaller share comes after
    the champion and before the challenger, a larger one the other way round. The previous champion has its alias before
    anything else moves, so that retention leaves it alone.
    """
    champion, challenger, previous = (_alias(alias, shown, wanted) for alias in ALIASES)
    percent = [] if shown.percent == wanted.percent else [Change("tag", PERCENT_TAG, str(wanted.percent))]
    paused = [] if shown.paused == wanted.paused else [Change("tag", PAUSED_TAG, str(wanted.paused).lower())]
    live = [*champion, *percent, *challenger] if wanted.percent <= shown.percent else [*challenger, *percent, *champion]
    return [*previous, *live, *paused] if PREVIOUS in wanted.aliases else [*live, *paused, *previous]


def _alias(alias: str, shown: RegistryState, wanted: RegistryState) -> list[Change]:
    number = wanted.aliases.get(alias)
    return (
        [] if number == shown.aliases.get(alias) else [Change("alias", alias, None if number is None else str(number))]
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
