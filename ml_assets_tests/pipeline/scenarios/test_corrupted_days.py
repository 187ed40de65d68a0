"""Corrupted days are quarantined or flagged by the intended check, and good days raise no alarm."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from ml_assets.cli.demo.simulated_days import read_simulated_spec
from ml_assets.cli.demo.simulator import simulate_days
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets_tests.pipeline.corruptions import CORRUPTIONS, Corruption
from ml_assets_tests.pipeline.world import World, failed_by_day

SPEC = read_simulated_spec()
GOOD_DAYS = 15
# Checks of good days that fail because of earlier ones: windows contain amounts in cents or days without rows.
AFTERWARDS = {"no_gaps", "feature_drift", "not_constant"}


def first_of_each_check() -> list[Corruption]:
    """List the corruptions that are the first one for some check."""
    first: dict[str, Corruption] = {}
    for corruption in CORRUPTIONS:
        for check in corruption.checks:
            first.setdefault(check, corruption)
    return [corruption for corruption in CORRUPTIONS if corruption in first.values()]


SETS = {"first": first_of_each_check()}
SETS["further"] = [corruption for corruption in CORRUPTIONS if corruption not in SETS["first"]]


@dataclass(frozen=True)
class Flagged:
    """The corrupted days of a run, and the checks that failed by day."""

    day_of: dict[str, date]
    checks: dict[date, set[str]]


@pytest.fixture(scope="module", params=["first", pytest.param("further", marks=pytest.mark.slow)])
def flagged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Flagged:
    """Run two weeks of good days, after which every other day is corrupted.

    There are fewer customers than terminals, so that swapped columns can be recognized.
    """
    world, first = World(tmp_path_factory.mktemp("world"), SPEC), SPEC.source.start
    corruption_on = {
        first + timedelta(days=GOOD_DAYS + 2 * number): corruption
        for number, corruption in enumerate(SETS[request.param])
    }
    days = GOOD_DAYS + 2 * len(corruption_on)
    for day, rows in simulate_days(first, days, customers=700, terminals=1500):
        corruption = corruption_on.get(day)
        files = corruption.files(rows) if corruption else {"rows.parquet": rows}
        for name, content in files.items():
            world.land_at(f"fraud_detection/{day}/{name}", content)
    result = world.run(list(LANDED_TO_FEATURES), first, first + timedelta(days=days - 1))
    return Flagged({corruption.name: day for day, corruption in corruption_on.items()}, failed_by_day(result))


def test_corrupted_days_are_flagged_by_the_intended_checks(flagged):
    missed = {
        corruption.name: checks
        for corruption in CORRUPTIONS
        if (day := flagged.day_of.get(corruption.name))
        and (checks := {*corruption.checks} - flagged.checks.get(day, set()))
    }
    assert missed == {}


def test_good_days_between_corrupted_ones_raise_no_alarm(flagged):
    corrupted = flagged.day_of.values()
    good = {day: checks - AFTERWARDS for day, checks in flagged.checks.items() if day not in corrupted}
    assert {day: checks for day, checks in good.items() if checks} == {}


def test_no_check_fails_before_the_first_corrupted_day(flagged):
    assert [day for day in flagged.checks if day < SPEC.source.start + timedelta(days=GOOD_DAYS)] == []
