"""The release state as aliases and tags in the registry, changed in an order that keeps it consistent for readers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, PREVIOUS, Release

RELEASE_TAG, PERCENT_TAG, PAUSED_TAG = "release", "canary_percent", "paused"
ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)


@dataclass(frozen=True)
class RegistryState:
    """The state of the registered model, which one request reads.

    aliases: version number by existing alias. percent: share of the entities for the challenger; 0 in shadow. release:
    number of the last completed release; 0 before the first. versions_changed: time at which a version was last
    created, deleted or changed, in milliseconds since 1970; 0 if MLflow does not report it.
    """

    aliases: Mapping[str, int]
    percent: int = 0
    paused: bool = False
    release: int = 0
    versions_changed: int = field(default=0, compare=False)

    @classmethod
    def of(
        cls, aliases: Mapping[str, str | int], tags: Mapping[str, str], versions_changed: int | None = None
    ) -> "RegistryState":
        """Read the state from aliases and tags of the registered model; an invalid share or number counts as 0."""
        known = {alias: int(version) for alias, version in aliases.items() if alias in ALIASES}
        return cls(
            known,
            _number(tags.get(PERCENT_TAG)),
            tags.get(PAUSED_TAG) == "true",
            _number(tags.get(RELEASE_TAG)),
            versions_changed or 0,
        )


@dataclass(frozen=True)
class Change:
    """One request to the registry that sets an alias or a tag of the registered model; None removes the alias."""

    kind: str
    name: str
    value: str | None


def registry_state_of(state: Release, numbers: Mapping[str, int]) -> RegistryState:
    """Return the registry state that represents a release state.

    Args:
        state: the release state.
        numbers: version number by digest in the registry; a version that is not registered gets no alias.
    """
    known = {alias: numbers.get(version.digest) for alias, version in state.aliases.items() if version}
    aliases = {alias: number for alias, number in known.items() if number is not None}
    return RegistryState(aliases, state.percent if CHALLENGER in aliases else 0, state.paused, state.number)


def changes(current: RegistryState, wanted: RegistryState) -> list[Change]:
    """Return the requests that bring the registry from its current state to the wanted one, without the release tag.

    After each request every entity has either its old or its new version: a smaller share is set after the champion and
    before the challenger, a larger one in the opposite order. The previous champion gets its alias first, so that
    retention keeps it.
    """
    champion, challenger, previous = (_alias(alias, current, wanted) for alias in ALIASES)
    percent = [] if current.percent == wanted.percent else [Change("tag", PERCENT_TAG, str(wanted.percent))]
    paused = [] if current.paused == wanted.paused else [Change("tag", PAUSED_TAG, str(wanted.paused).lower())]
    live = (
        [*champion, *percent, *challenger] if wanted.percent <= current.percent else [*challenger, *percent, *champion]
    )
    return [*previous, *live, *paused] if PREVIOUS in wanted.aliases else [*live, *paused, *previous]


def _alias(alias: str, current: RegistryState, wanted: RegistryState) -> list[Change]:
    number = wanted.aliases.get(alias)
    return (
        []
        if number == current.aliases.get(alias)
        else [Change("alias", alias, None if number is None else str(number))]
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
