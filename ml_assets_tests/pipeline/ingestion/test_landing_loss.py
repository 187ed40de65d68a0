"""The files of most days gone at once are the loss of the landing, those of single days their removal."""

import re
import shutil
from datetime import UTC, date, datetime

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.model_spec.labels import LateData
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.automation import arrivals_sensor as arrivals_sensor_module
from ml_assets.pipeline.automation.arrivals_sensor import arrivals_sensor
from ml_assets.pipeline.automation.jobs import features_job
from ml_assets.pipeline.ingestion.landing_loss import LandingLossGuard, LandingLost
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, day, failure, rows_of
from ml_assets_tests.support.clock import stop_clock

pytestmark = pytest.mark.clock

SPEC = ModelSpec.model_validate(SMALL)
RAW = ["raw_data"]
NOW = datetime.combine(day(5), datetime.min.time(), UTC)


class Tables:
    """The parts of raw table, table of objects and landing that the guard asks."""

    uri = "landing"

    def __init__(self, made: list[int], landed: list[int], expired: list[int] = ()):  # type: ignore[assignment]
        self.made, self.landed, self.expired = made, landed, expired

    def row_counts(self) -> dict[date, int]:
        return {day(number): 1 for number in self.made}

    def fingerprint(self, which: date) -> int:
        return EXPIRED if which in [day(number) for number in self.expired] else 1

    def has_files(self, _, which: date) -> bool:
        return which in [day(number) for number in self.landed]


def is_lost(number: int, reach: int = 30, removed_through: int | None = None, **days: list[int]) -> bool:
    tables = Tables(**days)
    policy = LateData(removed_through=day(removed_through) if removed_through else None)
    reach_in_days = day(reach) - day(0)
    guard = LandingLossGuard(rows_feed(SPEC), policy, tables, tables, tables, reach_in_days)  # type: ignore[arg-type]
    try:
        guard.check(day(number))
    except LandingLost:
        return True
    return False


def test_all_days_or_most_of_them_are_a_loss_and_few_are_a_removal():
    week = [1, 2, 3, 4, 5, 6, 7]
    assert is_lost(3, made=week, landed=[])
    assert is_lost(3, made=week, landed=[8, 9])
    assert is_lost(3, made=week, landed=[5, 6, 7])
    assert not is_lost(3, made=week, landed=[4, 5, 6, 7])
    assert not is_lost(3, made=week, landed=[1, 2, 4, 5, 6, 7])


def test_of_few_days_one_that_stays_tells_a_removal_from_a_loss():
    assert is_lost(1, made=[1], landed=[])
    assert not is_lost(1, made=[1, 2, 3], landed=[2])
    assert is_lost(1, made=[1, 2, 3, 4], landed=[2])


def test_days_beyond_reach_or_removed_by_retention_do_not_count():
    assert not is_lost(5, made=[1, 2, 3, 4, 5, 6], landed=[6], expired=[1, 2, 3, 4])
    assert is_lost(5, reach=3, made=[1, 2, 3, 4, 5, 9, 10, 11, 12, 13], landed=[9, 10, 11, 12, 13])
    assert not is_lost(5, reach=20, made=[1, 2, 3, 4, 5, 9, 10, 11, 12, 13], landed=[9, 10, 11, 12, 13])


def test_a_day_that_was_made_without_files_has_none_to_lose():
    assert not is_lost(9, made=[1, 2, 3], landed=[])


def test_days_whose_files_were_removed_on_purpose_are_not_a_loss():
    assert not is_lost(2, removed_through=2, made=[1, 2, 3], landed=[])
    assert is_lost(3, removed_through=2, made=[1, 2, 3], landed=[])


@pytest.fixture
def world(tmp_path) -> World:
    world = World(tmp_path, SPEC)
    for number in (1, 2, 3):
        world.land(day(number), rows_of(day(number)))
    world.run(RAW, day(1), day(3))
    return world


def sensor_tick(world: World) -> dg.SensorResult:
    sensor = arrivals_sensor(world.spec, features_job(world.spec))
    context = dg.build_sensor_context(resources={"landing": world.landing, "lake": world.lake})
    result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


@pytest.mark.parametrize("is_mounted", [True, False])
def test_a_lost_landing_fails_runs_and_ticks_and_replaces_nothing(world, tmp_path, monkeypatch, is_mounted):
    stop_clock(monkeypatch, arrivals_sensor_module, NOW)
    before = world.commits()
    shutil.rmtree(world.landing.uri)
    if is_mounted:
        (tmp_path / "landing").mkdir()
    said = "all 3 days from .* that raw_data holds are gone at once" if is_mounted else "is not there"
    for first, last in ((day(2), None), (day(1), day(3))):
        assert re.search(said, failure(world.run(RAW, first, last, succeed=False)))
    with pytest.raises(Exception, match=said):
        sensor_tick(world)
    assert world.commits() == before


def test_a_removed_day_becomes_empty_while_its_neighbours_stay(world, monkeypatch):
    stop_clock(monkeypatch, arrivals_sensor_module, NOW)
    world.remove(day(2))
    assert sensor_tick(world).run_requests
    assert computed(world.run(RAW, day(1), day(3)), "raw_data") == [day(2)]


def test_a_tick_before_the_first_files_is_skipped_with_a_reason(tmp_path):
    world = World(tmp_path, SPEC)
    shutil.rmtree(world.landing.uri, ignore_errors=True)
    assert "nothing has landed yet" in str(sensor_tick(world).skip_reason)
