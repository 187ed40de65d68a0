"""Dagster's database is lost, lake and MLflow are not: backfills on an empty one make nothing twice, and bring the partitions back."""

import dagster as dg

from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.assets import LANDED_TO_FEATURES, LIVE_ASSETS, MODEL_ASSETS
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, day, rows_of

FIRST, LAST = day(1), day(11)
SPEC = ModelSpec.model_validate(SMALL)


def run_everything(world: World) -> dict[str, list]:
    """The days that each asset computed."""
    daily = world.run(list(LANDED_TO_FEATURES), FIRST, LAST)
    models = world.run(list(MODEL_ASSETS), day(10), LAST)
    live = world.run(list(LIVE_ASSETS), day(10), LAST)
    parts = ((daily, LANDED_TO_FEATURES), (models, MODEL_ASSETS), (live, LIVE_ASSETS))
    return {name: computed(result, name) for result, names in parts for name in names}


def test_backfills_on_an_empty_database_make_nothing_twice_and_bring_the_partitions_back(tmp_path):
    world = World(tmp_path, SPEC)
    for number in range(1, 12):
        world.land(day(number), rows_of(day(number)))
    made = run_everything(world)
    assert made["features"]
    assert made["model_registry_entry"] == [day(10), day(11)]
    before, versions, history = world.commits(), world.releases().versions(), world.releases().history()

    restored = World(tmp_path, SPEC)
    assert restored.instance.get_materialized_partitions(dg.AssetKey(["small", "features"])) == set()
    assert not any(run_everything(restored).values())
    assert restored.commits() == before
    assert restored.releases().versions() == versions
    assert restored.releases().history() == history
    for name, days in (("features", 11), ("trained_model", 2), ("model_registry_entry", 2), ("deployment", 2), ("predictions", 2)):
        assert len(restored.instance.get_materialized_partitions(dg.AssetKey(["small", name]))) == days
