"""During an update of the registry, readers see the old or the new version of each entity."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.release.registry_state import RegistryState, changes, registry_state_of
from ml_assets.core.release.release_state import Release, Version, pause, promote, start

DAY = date(2025, 3, 10)
FIRST, SECOND = (Version(number, f"digest-{number}", date(2025, 3, number)) for number in (1, 2))
VERSIONS = st.sampled_from([1, 2, 3, 4])


@st.composite
def states(draw) -> RegistryState:
    aliases = {"champion": draw(VERSIONS)}
    if previous := draw(st.none() | VERSIONS):
        aliases["previous"] = previous
    if challenger := draw(st.none() | VERSIONS):
        aliases["challenger"] = challenger
    return RegistryState(aliases, draw(st.integers(1, 99)) if challenger else 0, draw(st.booleans()))


def applied(displayed: RegistryState, change) -> RegistryState:
    aliases = dict(displayed.aliases)
    if change.kind == "alias":
        aliases.pop(change.name, None)
        return replace(displayed, aliases={**aliases, change.name: int(change.value)} if change.value else aliases)
    return replace(
        displayed,
        **({"percent": int(change.value)} if change.name == "canary_percent" else {"paused": change.value == "true"}),
    )


def live_for(displayed: RegistryState, place: int) -> int | None:
    """The version that a reader takes for an entity."""
    return displayed.aliases.get("challenger") if place < displayed.percent else displayed.aliases.get("champion")


@given(states(), states())
def test_readers_see_the_old_or_the_new_version_of_each_entity_at_any_time(before, after):
    displayed = before
    for change in changes(before, after):
        displayed = applied(displayed, change)
        for place in range(100):
            assert live_for(displayed, place) in (live_for(before, place), live_for(after, place))
    assert (dict(displayed.aliases), displayed.percent, displayed.paused) == (
        dict(after.aliases),
        after.percent,
        after.paused,
    )


@given(states(), states())
def test_a_champion_that_becomes_the_previous_one_is_never_without_an_alias(before, after):
    displayed, after = before, replace(after, aliases={**after.aliases, "previous": before.aliases["champion"]})
    for change in changes(before, after):
        displayed = applied(displayed, change)
        assert before.aliases["champion"] in displayed.aliases.values()


def test_a_current_registry_is_not_changed():
    displayed = RegistryState({"champion": 1, "challenger": 2}, 5)
    assert changes(displayed, displayed) == []
    assert len(changes(displayed, replace(displayed, percent=25))) == 1


def test_aliases_point_to_the_version_that_has_the_digest():
    state = pause(start(promote(Release(), FIRST), SECOND, 5, DAY), True)
    assert registry_state_of(state, {"digest-1": 7, "digest-2": 8}) == RegistryState(
        {"champion": 7, "challenger": 8}, 5, True, 3
    )


def test_a_challenger_that_is_not_in_the_registry_has_no_share():
    state = start(promote(Release(), FIRST), SECOND, 5, DAY)
    assert registry_state_of(state, {"digest-1": 1}) == RegistryState({"champion": 1}, 0, False, 2)


def test_invalid_tags_of_the_registry_are_read_as_zero():
    tags = {"canary_percent": "25", "paused": "true", "release": "4"}
    assert RegistryState.of({"champion": "3", "shadow": "2"}, tags) == RegistryState({"champion": 3}, 25, True, 4)
    assert RegistryState.of({}, {"canary_percent": "many", "release": "-1", "paused": "perhaps"}) == RegistryState({})
