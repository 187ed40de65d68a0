"""The release state after each kind of release."""

from datetime import date

import pytest

from ml_assets.core.release.release_state import (
    Release,
    Version,
    adopt,
    advance,
    live_on,
    pause,
    promote,
    roll_back,
    start,
)

DAY = date(2025, 3, 10)
FIRST, SECOND, THIRD = (Version(number, f"digest-{number}", date(2025, 3, number)) for number in (1, 2, 3))


def test_a_canary_grows_and_becomes_the_champion():
    state = start(promote(Release(), FIRST), SECOND, 5, DAY)
    assert (state.champion, state.challenger, state.percent, state.step_since) == (FIRST, SECOND, 5, DAY)
    state = advance(state, 25, date(2025, 3, 20))
    assert (state.percent, state.step_since, state.canary_since) == (25, date(2025, 3, 20), DAY)
    state = promote(state, SECOND)
    assert state.aliases == {"champion": SECOND, "challenger": None, "previous": FIRST}
    assert (state.percent, state.number, state.withdrawn) == (0, 4, frozenset())


def test_a_rollback_withdraws_the_canary_and_leaves_the_champion():
    state = roll_back(start(promote(Release(), FIRST), SECOND, 5, DAY))
    assert (state.champion, state.challenger, state.percent, state.withdrawn) == (FIRST, None, 0, {SECOND.digest})


def test_a_rollback_without_a_canary_brings_the_previous_champion_back_once():
    state = roll_back(promote(promote(Release(), FIRST), SECOND))
    assert (state.champion, state.previous, state.withdrawn) == (FIRST, None, {SECOND.digest})
    with pytest.raises(ValueError, match="nothing to roll back"):
        roll_back(state)


def test_a_canary_that_is_replaced_is_withdrawn():
    state = start(start(promote(Release(), FIRST), SECOND, 25, DAY), THIRD, 5, date(2025, 3, 12))
    assert (state.challenger, state.percent, state.canary_since, state.withdrawn) == (
        THIRD,
        5,
        date(2025, 3, 12),
        {SECOND.digest},
    )


def test_a_restored_version_is_no_longer_withdrawn():
    withdrawn = roll_back(start(promote(Release(), FIRST), SECOND, 5, DAY))
    assert start(withdrawn, SECOND, 5, DAY).withdrawn == promote(withdrawn, SECOND).withdrawn == frozenset()


def test_promoting_another_version_withdraws_the_canary():
    state = promote(start(promote(Release(), FIRST), SECOND, 5, DAY), THIRD)
    assert (state.champion, state.challenger, state.previous, state.withdrawn) == (THIRD, None, FIRST, {SECOND.digest})


def test_a_pause_changes_nothing_else():
    state = start(promote(Release(), FIRST), SECOND, 5, DAY)
    resumed = pause(pause(state, True), False)
    assert (resumed.challenger, resumed.percent, resumed.paused, resumed.number) == (SECOND, 5, False, state.number + 2)


def test_a_champion_that_was_changed_in_the_registry_is_adopted():
    state = promote(Release(), FIRST)
    result = adopt(state, SECOND, None, 0, False, DAY)
    assert (result.champion, result.previous, result.withdrawn, result.number) == (SECOND, FIRST, frozenset(), 2)
    back = adopt(result, FIRST, None, 0, False, DAY)
    assert (back.champion, back.previous, back.withdrawn) == (FIRST, None, {SECOND.digest})


def test_a_challenger_that_was_changed_in_the_registry_starts_again():
    state = start(promote(Release(), FIRST), SECOND, 25, date(2025, 3, 1))
    result = adopt(state, FIRST, THIRD, 25, True, DAY)
    assert (
        result.challenger,
        result.percent,
        result.canary_since,
        result.step_since,
        result.withdrawn,
        result.paused,
    ) == (
        THIRD,
        25,
        DAY,
        DAY,
        {SECOND.digest},
        True,
    )
    gone = adopt(state, FIRST, None, 25, False, DAY)
    assert (gone.challenger, gone.percent, gone.canary_since, gone.withdrawn) == (None, 0, None, {SECOND.digest})
    shared = adopt(state, FIRST, SECOND, 50, False, DAY)
    assert (shared.percent, shared.step_since, shared.canary_since, shared.withdrawn) == (
        50,
        DAY,
        date(2025, 3, 1),
        frozenset(),
    )


def test_a_challenger_that_somebody_made_the_champion_is_no_challenger():
    result = adopt(start(promote(Release(), FIRST), SECOND, 25, DAY), SECOND, SECOND, 25, False, DAY)
    assert (result.champion, result.challenger, result.previous, result.percent, result.withdrawn) == (
        SECOND,
        None,
        FIRST,
        0,
        frozenset(),
    )


def test_rows_of_a_day_are_scored_by_the_last_release_that_is_not_of_a_later_day():
    first, second, third = (Release(number=number) for number in (1, 2, 3))
    releases = [(date(2025, 3, 1), first), (date(2025, 3, 5), second), (date(2025, 3, 5), third)]
    assert live_on(releases, date(2025, 2, 28)) == Release()
    assert live_on(releases, date(2025, 3, 4)) == first
    assert live_on(releases, date(2025, 3, 9)) == third
