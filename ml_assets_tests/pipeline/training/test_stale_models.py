"""A model whose training days were made again is marked, in Dagster and in the registry; others are not."""

import dagster as dg
import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS, landed_to_features
from ml_assets.pipeline.training.stale_models import TAG
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.features.test_label_store import SPEC as WITH_LABELS
from ml_assets_tests.pipeline.features.test_label_store import correct
from ml_assets_tests.pipeline.features.test_label_store import world as world_with_labels
from ml_assets_tests.pipeline.world import World, computed, day, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features

LAST = 13
DAILY, MODELS = list(LANDED_TO_FEATURES), list(MODEL_ASSETS)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory) -> World:
    """Models of days 11 to 13, trained on days 2 to 5, 3 to 6 and 4 to 7; features see one day before. Not to be
    changed.
    """
    made = world_with_features(tmp_path_factory.mktemp("stale"))
    made.run(MODELS, day(11), day(LAST))
    return made


@pytest.fixture
def world(made_once, tmp_path) -> World:
    return made_once.copy(tmp_path)


def marks(made: World) -> dict[str, str]:
    """Day of each marked model to its mark, from the registry."""
    found = made.registry.client.search_model_versions("name = 'small'")
    return {version.tags["day"]: version.tags[TAG] for version in found if TAG in version.tags}


def observed(result: dg.ExecuteInProcessResult) -> list[str]:
    return [str(event.partition) for event in result.all_events if event.is_asset_observation]


def test_models_that_saw_a_reopened_day_are_marked_with_the_days_that_changed(world):
    world.land(day(6), rows_of(day(6)).head(40))
    result = world.run(DAILY, day(5), day(7))
    assert computed(result, "features") == [day(6), day(7)]
    assert observed(result) == [str(day(12)), str(day(13))]
    text = "days of its training window changed after it was trained"
    assert marks(world) == {str(day(12)): f"1 {text}: 2025-01-06", str(day(13)): f"2 {text}: 2025-01-06, 2025-01-07"}


def test_a_mark_is_reported_once(world):
    world.land(day(6), rows_of(day(6)).head(40))
    world.run(DAILY, day(5), day(7))
    assert observed(world.run(DAILY, day(5), day(7))) == []


def test_a_change_that_no_model_saw_marks_none(world):
    world.land(day(8), rows_of(day(8)).head(40))
    assert observed(world.run(DAILY, day(8), day(9))) == []
    assert marks(world) == {}


def test_a_mark_is_taken_away_when_the_day_is_as_it_was(world):
    world.land(day(6), rows_of(day(6)).head(40))
    world.run(DAILY, day(5), day(7))
    world.land(day(6), rows_of(day(6)))
    world.run(DAILY, day(5), day(7))
    assert marks(world) == {}


@pytest.mark.slow
def test_a_mark_stays_while_it_cannot_be_told_what_the_model_would_see(tmp_path):
    made = World(tmp_path, ModelSpec.model_validate(SMALL))
    for number in range(1, LAST + 1):
        if number != 4:
            made.land(day(number), rows_of(day(number)))
    for first, last in [(1, 3), (5, LAST)]:
        made.run(DAILY, day(first), day(last))
    made.run(MODELS, day(LAST))
    made.land(day(6), rows_of(day(6)).head(40))
    made.run(DAILY, day(6), day(7))
    marked = marks(made)
    assert set(marked) == {str(day(LAST))}
    # Of the training window, and never made.
    made.land(day(4), rows_of(day(4)))
    made.run(DAILY, day(LAST))
    assert marks(made) == marked


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
def test_a_corrected_label_marks_the_models_that_saw_it(tmp_path):
    made = world_with_labels(tmp_path)
    made.run(MODELS, day(12), day(14))
    correct(made, row_day=7, delivered=13)
    result = made.run(list(landed_to_features(WITH_LABELS)), day(13), day(13))
    assert observed(result) == [str(day(13)), str(day(14))]
    assert marks(made)[str(day(14))] == "1 days of its training window changed after it was trained: 2025-01-07"


def test_an_empty_registry_is_not_asked(tmp_path):
    made = World(tmp_path, ModelSpec.model_validate(SMALL))
    made.land(day(1), pd.DataFrame(rows_of(day(1))))
    made.run(DAILY, day(1))
    assert not (tmp_path / "mlflow.db").exists()
