"""Corrupted days are quarantined or flagged by the intended check, and good days raise no alarm."""

from datetime import date, timedelta

import pytest

from ml_assets.cli.demo.simulated_days import read_simulated_spec
from ml_assets.cli.demo.simulator import simulate_days
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets_tests.pipeline.corruptions import CORRUPTIONS, Corruption
from ml_assets_tests.pipeline.world import World, failed_by_day

SPEC = read_simulated_spec()
GOOD_DAYS = 15
# After two weeks of good days every other day is corrupted.
DAY_OF = {
    corruption.name: SPEC.source.start + timedelta(days=GOOD_DAYS + 2 * number)
    for number, corruption in enumerate(CORRUPTIONS)
}
LAST = max(DAY_OF.values()) + timedelta(days=1)
# Checks of good days that fail because of earlier ones: windows contain amounts in cents or days without rows.
AFTERWARDS = {"no_gaps", "feature_drift", "not_constant"}


@pytest.fixture(scope="module")
def flagged(tmp_path_factory: pytest.TempPathFactory) -> dict[date, set[str]]:
    """List the checks that failed on each day, in one run over all of them.

    There are fewer customers than terminals, so that swapped columns can be recognized.
    """
    world = World(tmp_path_factory.mktemp("world"), SPEC)
    corruption_on = {DAY_OF[corruption.name]: corruption for corruption in CORRUPTIONS}
    for day, rows in simulate_days(
        SPEC.source.start, (LAST - SPEC.source.start).days + 1, customers=700, terminals=1500
    ):
        corruption = corruption_on.get(day)
        files = corruption.files(rows) if corruption else {"rows.parquet": rows}
        for name, content in files.items():
            world.land_at(f"fraud_detection/{day}/{name}", content)
    return failed_by_day(world.run(list(LANDED_TO_FEATURES), SPEC.source.start, LAST))


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
def test_a_corrupted_day_is_flagged_by_the_intended_check(flagged, corruption: Corruption):
    assert set(corruption.checks) <= flagged.get(DAY_OF[corruption.name], set())


def test_good_days_between_corrupted_ones_raise_no_alarm(flagged):
    good = {day: checks - AFTERWARDS for day, checks in flagged.items() if day not in DAY_OF.values()}
    assert {day: checks for day, checks in good.items() if checks} == {}


def test_no_check_fails_before_the_first_corrupted_day(flagged):
    assert [day for day in flagged if day < SPEC.source.start + timedelta(days=GOOD_DAYS)] == []
