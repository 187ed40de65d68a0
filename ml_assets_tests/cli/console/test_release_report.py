"""A version that is not live is explained by the rules of the canary policy."""

from datetime import date

import pytest

from ml_assets.cli.console.release_report import explain_not_live
from ml_assets.core.release.release_state import Release, Version, pause, promote, roll_back, start

FIRST, SECOND, THIRD = (Version(number, f"digest-{number}", date(2025, 3, number)) for number in (1, 2, 3))
LIVE = promote(Release(), FIRST)
CANARY = start(LIVE, SECOND, 5, date(2025, 3, 10))


@pytest.mark.parametrize(
    ("state", "version", "reason"),
    [
        (promote(LIVE, THIRD), SECOND, "by itself only a model of a later day replaces it"),
        (CANARY, THIRD, "the canary, version 2, is decided first"),
        (roll_back(CANARY), SECOND, "it was rolled back or replaced, and does not go live again by itself"),
        (pause(CANARY, True), THIRD, "automatic decisions are paused"),
        (LIVE, SECOND, "the next daily run decides on it"),
    ],
)
def test_a_version_is_not_live_for_the_reason_of_the_policy(state, version, reason):
    assert explain_not_live(state, version) == reason
