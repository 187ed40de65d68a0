"""A stage whose inputs were never made names them, and a command that makes them."""

from datetime import date, timedelta

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.tables.schemas import features_schema
from ml_assets.pipeline.asset_names import FEATURES, VALIDATED
from ml_assets.pipeline.engine.stage import InputMissing
from ml_assets.pipeline.engine.upstream import read_fingerprints
from ml_assets.pipeline.features.labelled_features import LabelledFeatures
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, failure, rows_of

SPEC = ModelSpec.model_validate(SMALL)


def day(number: int) -> date:
    return SPEC.source.start + timedelta(days=number)


def missing_features(world: World, first: int, last: int) -> str:
    days = [day(number) for number in range(first, last + 1)]
    table = LabelledFeatures(SPEC, Lake(uri=world.lake.uri), world.landing).table
    with pytest.raises(InputMissing) as refused:
        read_fingerprints(
            rows_feed(SPEC), world.lake, world.landing, table, days, "the model", FEATURES, timedelta(days=1)
        )
    return str(refused.value)


def test_the_command_makes_the_features_that_are_missing_and_the_message_says_which_others_may_fail(tmp_path):
    world = World(tmp_path, SPEC)
    for number in range(6):
        world.land(day(number), rows_of(day(number)))
    message = missing_features(world, 4, 5)
    assert f"--partition-range {day(3)}...{day(5)}`; features of days before {day(4)} are not needed" in message
    # The rows that the features of the first day read were never made.
    result = world.run(["raw_data", "validated_data", "quarantined_data", "features"], day(3), day(5), succeed=False)
    assert f"are needed for the features of {day(3)}, but" in failure(result)
    assert computed(result, "features") == [day(4), day(5)]


def test_the_command_for_validated_days_makes_no_features_which_would_need_earlier_days(tmp_path):
    world = World(tmp_path, SPEC)
    world.land(day(3), rows_of(day(3)))
    table = world.lake.table("small", "validated_data", features_schema(SPEC))
    with pytest.raises(InputMissing) as refused:
        read_fingerprints(rows_feed(SPEC), world.lake, world.landing, table, [day(3)], "features", VALIDATED)
    command = (
        "`dg launch --assets 'tag:model=small and (tag:stage=ingestion or tag:stage=validation)' --partition-range"
    )
    assert f"Make them first: {command} {day(3)}...{day(3)}`" in str(refused.value)
    selection = dg.AssetSelection.from_string("tag:model=small and (tag:stage=ingestion or tag:stage=validation)")
    chosen = selection.resolve(build_assets(SPEC))
    assert {key.path[-1] for key in chosen} == {"raw_data", "validated_data", "quarantined_data"}


def test_a_command_that_begins_with_the_first_day_of_the_source_makes_every_day(tmp_path):
    world = World(tmp_path, SPEC)
    for number in range(3):
        world.land(day(number), rows_of(day(number)))
    assert missing_features(world, 1, 2).endswith(f"--partition-range {day(0)}...{day(2)}`")
