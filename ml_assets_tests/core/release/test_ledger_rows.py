"""The rows of the ledger alone restore every release state of any sequence of moves."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.release.ledger_rows import fold, moves_of, rows_of
from ml_assets.core.release.release_state import (
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
from ml_assets.core.tables.release_schemas import LEDGER_ROWS_SCHEMA

DAY, AT = date(2025, 3, 10), datetime(2025, 3, 10, 3, 0, tzinfo=UTC)
VERSIONS = [
    Version(number, f"digest-{number}", date(2025, 3, 1) + timedelta(days=number % 4)) for number in range(1, 6)
]
STEPS = st.tuples(
    st.sampled_from(["start", "replace", "advance", "promote", "rollback", "pause", "resume", "adopt"]),
    st.sampled_from(VERSIONS),
    st.sampled_from([*VERSIONS, None]),
    st.integers(1, 99),
    st.integers(0, 3),
)


def after(
    state: Release, action: str, version: Version, other: Version | None, percent: int, day: date
) -> Release | None:
    """What an action makes of a state; None where it can not be taken."""
    if action in ("start", "replace"):
        return start(state, version, percent, day)
    if action == "advance":
        return advance(state, percent, day) if state.challenger else None
    if action == "promote":
        return promote(state, version)
    if action == "rollback":
        return roll_back(state) if state.challenger or (state.champion and state.previous) else None
    if action == "adopt":
        return adopt(state, version, other, percent, percent % 2 == 0, day)
    return pause(state, action == "pause")


def moves(steps) -> list[Move]:
    state, day, result = Release(), DAY, []
    for action, version, other, percent, days in steps:
        day += timedelta(days=days)
        built = after(state, action, version, other, percent, day)
        if built is not None:
            result.append(Move(action, built, day, f"actor {percent}", "because", {"difference": percent / 7}))
            state = built
    return result


@given(st.lists(STEPS, max_size=25), st.randoms())
def test_rows_restore_every_state_of_any_sequence_of_moves(steps, shuffle: random.Random):
    built, before, rows = moves(steps), Release(), []
    for position, move in enumerate(built):
        rows += rows_of(before, move, AT + timedelta(seconds=position))
        before = move.after
    shuffle.shuffle(rows)
    assert fold(rows) == [(move.day, move.after) for move in built]
    assert moves_of(rows) == built


def promoted() -> Release:
    return promote(promote(Release(), VERSIONS[0]), VERSIONS[1])


def move(action, state: Release) -> Move:
    return Move(action, state, DAY, "run 1", "a reason", {"roc_auc": 0.9})


def test_each_alias_that_moves_has_a_row():
    begun = start(promoted(), VERSIONS[2], 5, DAY)
    rows = rows_of(begun, move("promote", promote(begun, VERSIONS[2])), AT)
    result = {row["alias"]: (row["from_version"], row["to_version"], row["to_digest"], row["to_day"]) for row in rows}
    third, second = VERSIONS[2], VERSIONS[1]
    assert result == {
        "champion": (2, 3, third.digest, third.day),
        "challenger": (3, None, None, None),
        "previous": (1, 2, second.digest, second.day),
    }
    assert {(row["release"], row["percent"], row["actor"], row["metrics"], row["at"]) for row in rows} == {
        (4, 0, "run 1", '{"roc_auc": 0.9}', AT)
    }
    assert all(list(row) == LEDGER_ROWS_SCHEMA.names for row in rows)


@pytest.mark.parametrize(
    ("action", "before", "built", "alias"),
    [
        ("advance", start(promoted(), VERSIONS[2], 5, DAY), lambda state: advance(state, 25, DAY), "challenger"),
        ("pause", start(promoted(), VERSIONS[2], 5, DAY), lambda state: pause(state, True), "challenger"),
        ("pause", promoted(), lambda state: pause(state, True), "champion"),
        ("pause", Release(), lambda state: pause(state, True), "champion"),
    ],
)
def test_a_move_that_moves_no_alias_has_one_row_whose_versions_are_equal(action, before, built, alias):
    (row,) = rows_of(before, move(action, built(before)), AT)
    assert (row["alias"], row["from_version"], row["from_digest"]) == (alias, row["to_version"], row["to_digest"])


@pytest.mark.parametrize(
    "wrong",
    [
        move("promote", start(promoted(), VERSIONS[2], 5, DAY)),
        move("pause", pause(promoted(), False)),
        move("start", start(promoted(), VERSIONS[2], 5, DAY - timedelta(days=1))),
        Move("resume", promoted(), DAY, "run 1", "the same number again", {}),
        move("start", pause(promoted(), True)),
    ],
)
def test_a_move_that_rows_cannot_represent_is_refused(wrong):
    with pytest.raises(ValueError, match=r"release"):
        rows_of(promoted(), wrong, AT)


def test_metrics_that_json_cannot_represent_are_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        rows_of(
            Release(), Move("promote", promote(Release(), VERSIONS[0]), DAY, "run 1", "", {"lift": float("nan")}), AT
        )
