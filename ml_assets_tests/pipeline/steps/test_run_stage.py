"""A run without a partition, as Dagster's UI launches checks alone and its API any job."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import asset_key
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, assets_of, check, day, failure
from ml_assets_tests.pipeline.worlds import world_with_two_days

SPEC = ModelSpec.model_validate(SMALL)
VALIDATED = asset_key(SPEC, "validated_data")
ROWS = ["raw_data", "validated_data", "quarantined_data"]


@pytest.fixture
def world(tmp_path) -> World:
    return world_with_two_days(tmp_path)


def run(world: World, selection: dg.AssetSelection) -> dg.ExecuteInProcessResult:
    return dg.materialize(assets_of(SPEC), selection=selection, resources=world.resources(), raise_on_error=False)


def test_checks_alone_are_evaluated_on_the_newest_day_with_rows(world):
    world.land(day(3), b"no Parquet")
    world.run(ROWS, day(1), day(3))
    result = run(world, dg.AssetSelection.checks_for_assets(VALIDATED))
    assert result.success
    assert not result.get_asset_materialization_events()
    assert (check(result, "every_day_accepted").description or "").startswith(str(day(2)))


def test_checks_alone_say_that_there_are_no_rows(world):
    result = run(world, dg.AssetSelection.checks_for_assets(VALIDATED))
    assert failure(result) == "small/validated_data: its checks need rows. Materialize a day first"


def test_a_run_of_assets_says_how_to_choose_days(world):
    result = run(world, dg.AssetSelection.assets(asset_key(SPEC, "raw_data")))
    assert failure(result) == (
        "small/raw_data: the run has no partition. Choose days with Materialize all on the page of the job, or launch "
        "it with --partition or --partition-range"
    )


def test_a_day_that_has_not_begun_is_refused_before_it_closes_the_days_before_it(world):
    future = datetime.now(ZoneInfo(SPEC.source.time_zone)).date() + timedelta(days=2)
    for name in ("raw_data", "deployment"):
        assert f"small/{name}: {future} has not begun yet. Choose days before" in failure(
            world.run([name], future, succeed=False)
        )
    assert not world.lake.exists("small", "deployment")
