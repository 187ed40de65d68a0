"""A step records the cost of the days that it made, and nothing about a cost can fail it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.stage_costs import Start
from ml_assets.pipeline.asset_names import RAW
from ml_assets.pipeline.observability import step_costs
from ml_assets.pipeline.observability.step_costs import measure_start, open_costs
from ml_assets.resources.monitoring.measurement_table import MeasurementTable
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day
from ml_assets_tests.pipeline.worlds import world_with_two_days

SPEC = ModelSpec.model_validate(SMALL)


@pytest.fixture
def world(tmp_path) -> World:
    return world_with_two_days(tmp_path)


def costs(world: World) -> list[dict]:
    return open_costs(SPEC, world.lake).newest(100).to_pylist()


def test_the_cost_of_each_day_is_recorded_once(world):
    world.run([RAW], day(1), day(2))
    world.run([RAW], day(1), day(2))
    rows = costs(world)
    assert [(row["day"], row["stage"], row["days_in_step"]) for row in rows] == [(day(1), RAW, 2), (day(2), RAW, 2)]
    assert all(row["seconds"] > 0 and row["memory_peak"] > 0 and row["pods"] == 0 for row in rows)
    assert all(row["rows"] > 0 and row["bytes"] > 0 for row in rows)


def test_a_cost_that_cannot_be_recorded_fails_nothing(world, monkeypatch):
    monkeypatch.setattr(MeasurementTable, "append", lambda *_: 1 / 0)
    assert world.run([RAW], day(1)).success
    assert costs(world) == []


def test_the_start_of_a_pod_and_the_queue_are_measured():
    launched = [SimpleNamespace(step_key=RAW, timestamp=at) for at in (100.0, 200.0)]
    record = SimpleNamespace(create_timestamp=datetime.fromtimestamp(50, UTC), start_time=80.0)
    instance: Any = SimpleNamespace(all_logs=lambda *_, **__: launched, get_run_record_by_id=lambda _: record)
    assert measure_start(instance, "run", RAW, 130.0) == Start(30, 30), "the first attempt"
    assert measure_start(instance, "run", RAW, 220.0) == Start(20, 30), "the second attempt"
    assert measure_start(instance, "run", "another", 220.0) == Start(0, 30), "it shares the process of the run"
    record.start_time = None
    assert measure_start(instance, "run", RAW, 130.0).queued == 0


def test_many_files_are_merged(world, monkeypatch):
    monkeypatch.setattr(step_costs, "MAX_FILES", 1)
    world.run([RAW], day(1))
    world.run([RAW], day(2))
    assert open_costs(SPEC, world.lake).append(open_costs(SPEC, world.lake).schema.empty_table()) == 2, "one was merged"
    assert [row["day"] for row in costs(world)] == [day(1), day(2)]
