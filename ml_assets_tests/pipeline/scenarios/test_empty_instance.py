"""Dagster's database is lost, lake and MLflow are not: backfills on an empty one make nothing twice, and bring the
partitions back.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from ml_assets.core.ingestion.sensor_cursor import SensorCursor
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS, RELEASE_ASSETS
from ml_assets.pipeline.automation.arrivals_sensor import compare_with_lake, scan_arrivals
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, day, rows_of

pytestmark = pytest.mark.clock

FIRST, LAST = day(1), day(10)
SPEC = ModelSpec.model_validate(SMALL)


def run_everything(world: World) -> dict[str, list]:
    """Run all assets; return the days that each of them computed."""
    daily = world.run(list(LANDED_TO_FEATURES), FIRST, LAST)
    models = world.run(list(MODEL_ASSETS), LAST)
    live = world.run(list(RELEASE_ASSETS), LAST)
    parts = ((daily, LANDED_TO_FEATURES), (models, MODEL_ASSETS), (live, RELEASE_ASSETS))
    return {name: computed(result, name) for result, names in parts for name in names}


@pytest.mark.slow
def test_backfills_on_an_empty_database_make_nothing_twice_and_bring_the_partitions_back(tmp_path):
    world = World(tmp_path, SPEC)
    for number in range(1, 11):
        world.land(day(number), rows_of(day(number)))
    made_days = run_everything(world)
    assert made_days["features"]
    assert made_days["model_registry_entry"] == [LAST]
    before, versions, history = world.commits(), world.releases().versions(), world.releases().ledger.releases()

    restored = World(tmp_path, SPEC, instance=dg.DagsterInstance.ephemeral())
    assert restored.instance.get_materialized_partitions(dg.AssetKey(["small", "features"])) == set()
    # A sensor whose cursor is lost asks for nothing that is in the lake as it landed; one day later more has landed.
    now = datetime.combine(LAST + timedelta(days=1), time(12), ZoneInfo(SPEC.source.time_zone))
    compare_day = compare_with_lake(SPEC, restored.lake, restored.landing)
    no_cursor = SensorCursor.from_text(None)
    assert scan_arrivals(SPEC, restored.landing, compare_day, no_cursor, now).requests == []
    restored.land(LAST + timedelta(days=1), rows_of(LAST + timedelta(days=1)))
    assert len(scan_arrivals(SPEC, restored.landing, compare_day, no_cursor, now + timedelta(days=1)).requests) == 1
    restored.remove(LAST + timedelta(days=1))
    assert not any(run_everything(restored).values())
    assert restored.commits() == before
    assert restored.releases().versions() == versions
    assert restored.releases().ledger.releases() == history
    for name, days in (
        ("features", 10),
        ("trained_model", 1),
        ("model_registry_entry", 1),
        ("deployment", 1),
        ("predictions", 1),
    ):
        assert len(restored.instance.get_materialized_partitions(dg.AssetKey(["small", name]))) == days
