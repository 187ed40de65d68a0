"""The sensor requests the history of the days that it requests, so that the first runs over a new lake succeed."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import first_day_read
from ml_assets.pipeline.asset_names import landed_to_features
from ml_assets.pipeline.automation import arrivals_sensor as sensor_module
from ml_assets.pipeline.automation.arrivals_sensor import arrivals_sensor, validated_in_lake
from ml_assets.pipeline.automation.jobs import features_job
from ml_assets.pipeline.automation.range_requests import RangeRequest, request_history, with_first_look_back
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, rows_of
from ml_assets_tests.support.clock import stop_clock

pytestmark = pytest.mark.clock

TODAY = date(2025, 3, 31)
NOW = datetime(2025, 3, 31, 12, tzinfo=UTC)
SPEC = ModelSpec.model_validate({**SMALL, "sensor": {"look_back": "4d"}})
VALIDATION = tuple(name for name in landed_to_features(SPEC) if name != "features")


def day(back: int) -> date:
    return TODAY - timedelta(days=back)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a lake without days, over a landing that is older than the look-back; a day of features reads one more."""
    world = World(tmp_path, SPEC)
    for back in range(20, 0, -1):
        world.land(day(back), rows_of(day(back)))
    return world


def history(world: World, first: int, last: int) -> list[RangeRequest]:
    is_validated = validated_in_lake(SPEC, Lake(uri=world.lake.uri))
    return request_history(SPEC, world.landing, is_validated, [RangeRequest(day(first), day(last), "key")], NOW)


def test_history_that_was_never_validated_is_requested_up_to_validation(world):
    [request] = history(world, 4, 1)
    assert (request.first, request.last, request.assets) == (day(5), day(5), VALIDATION)


def test_a_lake_that_has_the_history_is_asked_for_nothing(world):
    world.run(list(VALIDATION), day(5), day(5))
    assert history(world, 4, 1) == []


def test_days_without_files_and_days_before_the_source_are_no_history(world):
    assert history(world, 21, 21) == []
    started = SPEC.model_copy(update={"source": SPEC.source.model_copy(update={"start": day(4)})})
    requests = [RangeRequest(day(4), day(1), "key")]
    assert request_history(started, world.landing, lambda _: False, requests, NOW) == []


def test_a_request_for_labels_alone_reads_no_history(world):
    labels = [RangeRequest(day(4), day(1), "key", ("raw_labels",))]
    assert request_history(SPEC, world.landing, lambda _: False, labels, NOW) == []


def test_the_key_stays_while_the_days_are_not_validated_and_changes_with_their_files(world):
    [first], [second] = history(world, 4, 1), history(world, 4, 1)
    world.land(day(5), rows_of(day(5)).head(3))
    [changed] = history(world, 4, 1)
    assert first.key == second.key != changed.key


def test_the_first_look_back_covers_what_a_model_of_the_newest_day_reads():
    first_look_back = with_first_look_back(SPEC).sensor.look_back
    assert day(1) - first_look_back + timedelta(days=1) <= first_day_read(SPEC, day(1))
    longer = SPEC.model_copy(update={"sensor": SPEC.sensor.model_copy(update={"look_back": timedelta(days=90)})})
    assert with_first_look_back(longer).sensor.look_back == timedelta(days=90)


@pytest.mark.parametrize("newest", [1, 3])
def test_the_first_ticks_over_a_new_lake_request_the_history_and_then_days_that_can_be_made(world, monkeypatch, newest):
    for back in range(newest - 1, 0, -1):
        world.remove(day(back))
    stop_clock(monkeypatch, sensor_module, NOW)
    resources = {"landing": world.landing, "lake": Lake(uri=world.lake.uri)}
    sensor = arrivals_sensor(SPEC, features_job(SPEC))
    requests: list[list[dg.RunRequest]] = []
    cursor = None
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            result = sensor(dg.build_sensor_context(instance=instance, resources=resources, cursor=cursor))
            assert isinstance(result, dg.SensorResult)
            requests.append(list(result.run_requests or []))
            cursor = result.cursor
    # The queue does not keep the order of runs that one tick requests.
    assert [bool(request.asset_selection) for request in requests[0]] == [True]
    assert [bool(request.asset_selection) for request in requests[1]] == [False]
    assert requests[2] == []
    made: list[date] = []
    for request in (*requests[0], *requests[1]):
        ends = [date.fromisoformat(request.tags[f"dagster/asset_partition_range_{end}"]) for end in ("start", "end")]
        names = [key.path[-1] for key in request.asset_selection or []] or list(landed_to_features(SPEC))
        result = world.run(names, *ends)
        assert result.success
        made += computed(result, "features") if "features" in names else []
    assert {first_day_read(SPEC, day(newest)), day(newest)} <= set(made)


@pytest.mark.parametrize("edited", [None, "", "garbage", "{}"])
def test_after_a_reset_of_the_cursor_failed_runs_are_requested_again_under_other_keys(world, monkeypatch, edited):
    """Dagster skips a request whose run key has a run, even if that run failed."""
    resources = {"landing": world.landing, "lake": Lake(uri=world.lake.uri)}
    sensor = arrivals_sensor(SPEC, features_job(SPEC))
    keys: list[str | None] = []
    with dg.DagsterInstance.ephemeral() as instance:
        for minute, cursor in enumerate((None, edited)):
            stop_clock(monkeypatch, sensor_module, NOW + timedelta(minutes=minute))
            for _ in ("history", "days"):
                result = sensor(dg.build_sensor_context(instance=instance, resources=resources, cursor=cursor))
                assert isinstance(result, dg.SensorResult)
                keys += [request.run_key for request in result.run_requests or []]
                cursor = result.cursor
    assert len(keys) == len(set(keys)) == 4
