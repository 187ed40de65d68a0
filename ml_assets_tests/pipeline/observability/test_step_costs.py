"""A step records the cost of the days that it made, and nothing about a cost can fail it."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import RAW
from ml_assets.pipeline.observability.step_costs import open_costs
from ml_assets.resources.monitoring.append_only_table import AppendOnlyTable
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of

SPEC = ModelSpec.model_validate(SMALL)


@pytest.fixture
def world(tmp_path) -> World:
    world = World(tmp_path, SPEC)
    for number in (1, 2):
        world.land(day(number), rows_of(day(number)))
    return world


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
    monkeypatch.setattr(AppendOnlyTable, "append", lambda *_: 1 / 0)
    assert world.run([RAW], day(1)).success
    assert costs(world) == []
