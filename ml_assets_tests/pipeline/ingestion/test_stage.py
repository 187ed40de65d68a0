"""Files that change after a day is closed are ingested again or refused, as the policy says."""

from datetime import UTC, date, datetime

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.ingestion import stage
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, again, computed, day, failure, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features
from ml_assets_tests.support.clock import stop_clock

pytestmark = pytest.mark.clock

DAILY = list(LANDED_TO_FEATURES)


def spec_with(**policy) -> ModelSpec:
    return ModelSpec.model_validate({**SMALL, "late_data": {"open_for": "10d", **policy}})


def closed_world(root, spec: ModelSpec) -> World:
    """Return a world with three days of 2025, which were made and have long been closed."""
    return world_with_features(root, spec, 3)


def metadata(result, name: str, which: date) -> dict:
    (metadata,) = [
        event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key.path[-1] == name and event.partition == str(which)
    ]
    return {key: value.value for key, value in metadata.items()}


def test_a_change_of_a_closed_day_is_refused_and_reported_with_its_files(tmp_path):
    world = closed_world(tmp_path, spec_with(afterwards="refuse"))
    before = world.commits()
    world.land(day(2), rows_of(day(2)).head(30))
    world.land(day(2), rows_of(day(2)).tail(5), "late.parquet")
    result = world.run(DAILY, day(1), day(3))
    assert world.commits() == before
    problem = metadata(result, "raw_data", day(2))["problem"]
    assert "closed since 2025-01-13 00:00 UTC (late_data)" in problem
    assert f"rewritten {day(2)}/rows.parquet, new {day(2)}/late.parquet" in problem
    assert "late_data.reopened" in problem


def test_files_that_were_removed_from_a_closed_day_are_refused_too(tmp_path):
    world = closed_world(tmp_path, spec_with(afterwards="refuse"))
    world.remove(day(2))
    result = world.run(DAILY, day(1), day(3))
    assert computed(result, "raw_data") == []
    assert f"removed {day(2)}/rows.parquet" in metadata(result, "raw_data", day(2))["problem"]


def test_a_refused_change_is_ingested_when_the_day_is_reopened(tmp_path):
    world = closed_world(tmp_path, spec_with(afterwards="refuse"))
    world.land(day(2), rows_of(day(2)).head(30))
    world.spec = spec_with(afterwards="refuse", reopened=[str(day(2))])
    result = world.run(DAILY, day(1), day(3))
    assert computed(result, "raw_data") == [day(2)]
    assert computed(result, "features") == [day(2), day(3)]
    assert metadata(result, "raw_data", day(2))["reopened"] == f"rewritten {day(2)}/rows.parquet"


def test_restoring_the_original_files_is_no_change(tmp_path):
    world = closed_world(tmp_path, spec_with(afterwards="refuse"))
    world.land(day(2), rows_of(day(2)).head(30))
    world.land(day(2), rows_of(day(2)))
    assert "problem" not in metadata(world.run(DAILY, day(1), day(3)), "raw_data", day(2))


def test_a_closed_day_that_was_never_made_is_still_ingested(tmp_path):
    world = closed_world(tmp_path, spec_with(afterwards="refuse"))
    world.land(day(4), rows_of(day(4)))
    assert computed(world.run(DAILY, day(1), day(4)), "raw_data") == [day(4)]


def test_an_open_day_is_ingested_again_whatever_the_policy(tmp_path, monkeypatch):
    yesterday = day(3)
    stop_clock(monkeypatch, stage, datetime(2025, 1, 4, 12, tzinfo=UTC))
    world = World(tmp_path, spec_with(afterwards="refuse", open_for="2d"))
    world.land(yesterday, rows_of(yesterday))
    world.run(DAILY, yesterday, yesterday)
    world.land(yesterday, rows_of(yesterday).head(10))
    result = world.run(DAILY, yesterday, yesterday)
    assert computed(result, "raw_data") == [yesterday]
    assert "reopened" not in metadata(result, "raw_data", yesterday)


def test_a_closed_day_is_ingested_again_and_reported_as_reopened_if_the_policy_reopens(tmp_path):
    world = closed_world(tmp_path, spec_with(afterwards="reopen"))
    world.land(day(2), rows_of(day(2)).head(30))
    result = world.run(DAILY, day(1), day(3))
    assert metadata(result, "raw_data", day(2))["reopened"] == f"rewritten {day(2)}/rows.parquet"
    assert "reopened" not in metadata(result, "raw_data", day(1))


def test_a_closed_day_with_unchanged_files_still_follows_the_specification(tmp_path):
    world = closed_world(tmp_path, spec_with(afterwards="refuse"))
    columns = {**SMALL["columns"], "amount": {"type": "number", "minimum": 1}}
    world.spec = ModelSpec.model_validate(
        {**SMALL, "columns": columns, "late_data": {"open_for": "10d", "afterwards": "refuse"}}
    )
    assert again(world.run(DAILY, day(1), day(3)), "validated_data") == [day(1), day(2), day(3)]


def test_files_that_the_pattern_does_not_match_are_named_in_metadata_and_in_an_error(tmp_path):
    spec = ModelSpec.model_validate({**SMALL, "source": {**SMALL["source"], "files": "{day}/*.parquet"}})
    world = World(tmp_path, spec)
    world.land(day(1), rows_of(day(1)))
    for number in (1, 2):
        world.land(day(number), b"x", "more.PARQUET")
    of_day = metadata(world.run(["raw_data"], day(1)), "raw_data", day(1))
    assert of_day["files_not_read"] == 1
    assert of_day["files_not_read_examples"] == f"{day(1)}/more.PARQUET"
    said = failure(world.run(["raw_data"], day(2), succeed=False))
    assert f"a file of {day(2)} is not read, because the pattern {{day}}/*.parquet does not match" in said
