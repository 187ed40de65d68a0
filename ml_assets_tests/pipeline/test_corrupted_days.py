"""A day that went wrong in any of the usual ways is quarantined or flagged by the check that should, and good days raise no alarm."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from ml_assets.cli.models import spec_of
from ml_assets.core.simulator import simulate_days
from ml_assets.pipeline.assets import LANDED_TO_FEATURES
from ml_assets_tests.pipeline.corruptions import CORRUPTIONS, Corruption
from ml_assets_tests.pipeline.world import World

SPEC = spec_of("fraud_detection")
GOOD_DAYS = 15
DAY = SPEC.source.start + timedelta(days=GOOD_DAYS)
FOLDER = "fraud_detection"


def failed_checks(result) -> set[str]:
    return {evaluation.check_name for evaluation in result.get_asset_check_evaluations() if not evaluation.passed}


@pytest.fixture(scope="module")
def simulated():
    """Good and corrupted days are of one population: fewer customers than terminals."""
    return dict(simulate_days(SPEC.source.start, GOOD_DAYS + 1, customers=700, terminals=1500))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, simulated) -> World:
    """Two weeks of good days, made; no check failed."""
    world = World(tmp_path_factory.mktemp("good"), SPEC)
    for day in (SPEC.source.start + timedelta(days=n) for n in range(GOOD_DAYS)):
        world.land_at(f"{FOLDER}/{day}/rows.parquet", simulated[day])
    result = world.run(list(LANDED_TO_FEATURES), SPEC.source.start, DAY - timedelta(days=1))
    assert failed_checks(result) == set()
    return world


def run_day(world: World, files, day: date = DAY):
    for name, content in files.items():
        world.land_at(f"{FOLDER}/{day}/{name}", content)
    return world.run(list(LANDED_TO_FEATURES), day)


def test_a_good_day_raises_no_alarm(good, tmp_path: Path, simulated):
    assert failed_checks(run_day(good.copy(tmp_path), {"rows.parquet": simulated[DAY]})) == set()


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
def test_a_corrupted_day_is_flagged_by_the_check_that_should(good, tmp_path: Path, simulated, corruption: Corruption):
    rows = simulated[DAY].reset_index(drop=True)
    result = run_day(good.copy(tmp_path), corruption.files(rows))
    assert set(corruption.checks) <= failed_checks(result), corruption.name
