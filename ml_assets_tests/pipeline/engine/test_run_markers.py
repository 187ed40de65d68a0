"""Markers of unfinished runs: the next run names them, and completes the reports of days that are already committed."""

from pathlib import Path
from unittest.mock import patch

from deltalake.exceptions import CommitFailedError

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.pipeline.engine.run_markers import RunMarkers
from ml_assets.pipeline.steps.report_store import Reports
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, day, rows_of

LANDED = ["raw_data", "validated_data", "quarantined_data"]


def days(first: int, last: int) -> list:
    return [day(number) for number in range(first, last + 1)]


def test_a_run_takes_over_the_days_that_other_runs_have_not_finished(tmp_path: Path):
    markers = RunMarkers(Lake(uri=str(tmp_path)), "small", "features")
    assert markers.begin("one", days(1, 6)) == {}
    assert markers.begin("two", days(5, 8)) == {"one": days(5, 6)}
    assert markers.begin("three", days(1, 9)) == {"one": days(1, 4), "two": days(5, 8)}
    assert markers.begin("three", days(1, 9)) == {"three": days(1, 9)}
    markers.end("three")
    assert markers.begin("four", days(1, 9)) == {}
    assert RunMarkers(Lake(uri=str(tmp_path)), "small", "evaluation").begin("five", days(1, 9)) == {}


def changed_world(root: Path) -> World:
    """Return a world with two days made, and then day 2 landed again with 7 rows."""
    world = World(root, ModelSpec.model_validate(SMALL))
    for number in (1, 2):
        world.land(day(number), rows_of(day(number)))
    world.run(LANDED, day(1), day(2))
    world.land(day(2), rows_of(day(2), 7))
    return world


def facts_of_day_2(world: World) -> list[str]:
    """Return the figures of validation in the report of the changed day."""
    part = Part.from_json(world.lake.files.read(f"small/reports/{day(2)}/validated_data.json"))
    return list(map(str, part.facts.values()))


def test_the_report_of_a_day_is_renewed_when_the_response_to_its_commit_is_lost(tmp_path: Path):
    world, commit = changed_world(tmp_path), Table.commit

    def commit_and_lose_response(table: Table, *args: dict, **kwargs: dict) -> None:
        commit(table, *args, **kwargs)
        if table.uri.endswith("/validated_data"):
            raise CommitFailedError("the version is there already")

    with patch.object(Table, "commit", commit_and_lose_response):
        world.run(LANDED, day(1), day(2))
    assert "7" in facts_of_day_2(world)


def test_the_report_of_a_day_shows_the_rows_that_a_run_committed_before_it_died(tmp_path: Path):
    world = changed_world(tmp_path)
    with patch.object(Reports, "add", side_effect=KeyboardInterrupt):
        world.run(LANDED, day(1), day(2), succeed=False)
    last = world.run(LANDED, day(1), day(2))
    assert computed(last, "validated_data") == []
    assert "7" in facts_of_day_2(world)
    warnings = [
        event.user_message for event in world.events_of(last) if "has not finished" in (event.user_message or "")
    ]
    assert len(warnings) == 1
    assert "validated_data" in warnings[0]
    assert "2 days from 2025-01-01 to 2025-01-02" in warnings[0]
    again = world.run(LANDED, day(1), day(2))
    assert not [event for event in world.events_of(again) if "has not finished" in (event.user_message or "")]
