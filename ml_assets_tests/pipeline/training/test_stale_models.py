"""Models whose training days changed are marked in Dagster and in the registry; others are not."""

import dagster as dg
import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS, landed_to_features
from ml_assets.pipeline.training.stale_models import TAG
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.features.test_label_store import SPEC as WITH_LABELS
from ml_assets_tests.pipeline.features.test_label_store import correct, world_with_labels
from ml_assets_tests.pipeline.world import World, computed, day, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features

LAST = 13
DAILY, MODELS = list(LANDED_TO_FEATURES), list(MODEL_ASSETS)


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory) -> World:
    """A world, which tests copy, with models of days 11 to 13, trained on days 2 to 5, 3 to 6 and 4 to 7; features read
    one day before.
    """
    world = world_with_features(tmp_path_factory.mktemp("stale"))
    world.run(MODELS, day(11), day(LAST))
    return world


@pytest.fixture
def world(shared_world, tmp_path) -> World:
    return shared_world.copy(tmp_path)


def marks(world: World) -> dict[str, str]:
    """Read the mark of each marked model from the registry, by day of the model."""
    versions = world.registry.client.search_model_versions("name = 'small'")
    return {version.tags["day"]: version.tags[TAG] for version in versions if TAG in version.tags}


def observed(result: dg.ExecuteInProcessResult) -> list[str]:
    return [str(event.partition) for event in result.all_events if event.is_asset_observation]


def test_models_trained_on_a_reopened_day_are_marked_with_the_days_that_changed(world):
    world.land(day(6), rows_of(day(6)).head(40))
    result = world.run(DAILY, day(5), day(7))
    assert computed(result, "features") == [day(6), day(7)]
    assert observed(result) == [str(day(12)), str(day(13))]
    text = "of its training window changed after it was trained"
    assert marks(world) == {
        str(day(12)): f"1 day {text}: 2025-01-06",
        str(day(13)): f"2 days {text}: 2025-01-06, 2025-01-07",
    }


def test_a_mark_is_reported_once(world):
    world.land(day(6), rows_of(day(6)).head(40))
    world.run(DAILY, day(5), day(7))
    assert observed(world.run(DAILY, day(5), day(7))) == []


def test_a_change_of_a_day_that_no_model_read_marks_none(world):
    world.land(day(8), rows_of(day(8)).head(40))
    assert observed(world.run(DAILY, day(8), day(9))) == []
    assert marks(world) == {}


@pytest.mark.slow
def test_a_mark_is_removed_when_the_day_is_restored(world):
    world.land(day(6), rows_of(day(6)).head(40))
    world.run(DAILY, day(5), day(7))
    world.land(day(6), rows_of(day(6)))
    world.run(DAILY, day(5), day(7))
    assert marks(world) == {}


@pytest.mark.slow
def test_a_mark_stays_while_the_inputs_of_the_model_are_unknown(tmp_path):
    world = World(tmp_path, ModelSpec.model_validate(SMALL))
    for number in range(1, LAST + 1):
        if number != 4:
            world.land(day(number), rows_of(day(number)))
    for first, last in [(1, 3), (5, LAST)]:
        world.run(DAILY, day(first), day(last))
    world.run(MODELS, day(LAST))
    world.land(day(6), rows_of(day(6)).head(40))
    world.run(DAILY, day(6), day(7))
    marked = marks(world)
    assert set(marked) == {str(day(LAST))}
    # Day 4 is in the training window and has never been made.
    world.land(day(4), rows_of(day(4)))
    world.run(DAILY, day(LAST))
    assert marks(world) == marked


@pytest.mark.slow
def test_a_mark_stays_on_the_version_whose_days_changed_when_a_new_one_is_made(world):
    world.land(day(6), rows_of(day(6)).head(20))
    world.run(DAILY, day(5), day(7))
    world.run(MODELS, day(12))
    versions = world.registry.client.search_model_versions("name = 'small'")
    of_day = sorted(
        (int(version.version), TAG in version.tags) for version in versions if version.tags["day"] == str(day(12))
    )
    assert [marked for _, marked in of_day] == [True, False]


@pytest.mark.slow
def test_a_corrected_label_marks_the_models_trained_on_it(tmp_path):
    world = world_with_labels(tmp_path)
    world.run(MODELS, day(12), day(14))
    correct(world, row_day=7, delivered=13)
    result = world.run(list(landed_to_features(WITH_LABELS)), day(13), day(13))
    assert observed(result) == [str(day(13)), str(day(14))]
    assert marks(world)[str(day(14))] == "1 day of its training window changed after it was trained: 2025-01-07"


def test_a_registry_without_models_is_not_read(tmp_path):
    world = World(tmp_path, ModelSpec.model_validate(SMALL))
    world.land(day(1), pd.DataFrame(rows_of(day(1))))
    world.run(DAILY, day(1))
    assert not (tmp_path / "mlflow.db").exists()
