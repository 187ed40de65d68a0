"""Manual commands are releases, and impossible ones are refused."""

from datetime import date

import pytest

from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.release.ledger_rows import rows_of
from ml_assets.core.release.manual_release import CannotRelease, manual_move
from ml_assets.core.release.release_state import Release, Version, pause, promote, start
from ml_assets_tests.core.release.test_ledger_rows import AT

DAY = date(2025, 3, 10)
FIRST, SECOND, THIRD = (Version(number, f"digest-{number}", date(2025, 3, number)) for number in (1, 2, 3))
NOTHING, CHAMPION = Release(), promote(Release(), FIRST)
RUNNING = start(CHAMPION, SECOND, 25, DAY)
RULES = Canary.model_validate({"steps": [10, 100]})


@pytest.mark.parametrize(
    ("state", "command", "version", "action", "live"),
    [
        (RUNNING, "rollback", None, "rollback", (FIRST, None, 0)),
        (promote(CHAMPION, SECOND), "rollback", None, "rollback", (FIRST, None, 0)),
        (RUNNING, "pause", None, "pause", (FIRST, SECOND, 25)),
        (pause(RUNNING, True), "resume", None, "resume", (FIRST, SECOND, 25)),
        (CHAMPION, "canary", SECOND, "start", (FIRST, SECOND, 10)),
        (RUNNING, "canary", THIRD, "replace", (FIRST, THIRD, 10)),
        (NOTHING, "promote", THIRD, "promote", (THIRD, None, 0)),
        (RUNNING, "promote", SECOND, "promote", (SECOND, None, 0)),
    ],
)
def test_each_command_is_one_release_that_the_ledger_can_represent(state, command, version, action, live):
    move = manual_move(RULES, state, command, version, DAY, "ann@desk", None)
    assert (move.action, move.actor, move.day) == (action, "ann@desk", DAY)
    assert (move.after.champion, move.after.challenger, move.after.percent) == live
    assert move.after.paused == (command == "pause")
    assert move.reason.endswith("by hand; no reason was given")
    assert rows_of(state, move, AT)
    assert manual_move(RULES, state, command, version, DAY, "ann@desk", "it is slow").reason == "it is slow"


@pytest.mark.parametrize(
    ("rules", "state", "command", "version", "why"),
    [
        (
            RULES,
            CHAMPION,
            "rollback",
            None,
            "nothing to roll back: no canary is running, and there is no previous champion",
        ),
        (RULES, pause(CHAMPION, True), "pause", None, "are already paused"),
        (RULES, CHAMPION, "resume", None, "are not paused"),
        (RULES, CHAMPION, "promote", FIRST, "version 1 of 2025-03-01 is the champion already"),
        (RULES, CHAMPION, "canary", FIRST, "is the champion already"),
        (RULES, RUNNING, "canary", SECOND, "is already the canary, for 25 percent"),
        (RULES, NOTHING, "canary", FIRST, "no champion that a canary could be compared with"),
        (None, CHAMPION, "canary", SECOND, "has no deployment.canary"),
        (Canary.model_validate({"steps": [100]}), CHAMPION, "canary", SECOND, "with a step below 100 percent"),
        (RULES, CHAMPION, "promote", None, "promote needs a version"),
    ],
)
def test_impossible_commands_are_refused(rules, state, command, version, why):
    with pytest.raises(CannotRelease, match=why):
        manual_move(rules, state, command, version, DAY, "ann@desk", None)
