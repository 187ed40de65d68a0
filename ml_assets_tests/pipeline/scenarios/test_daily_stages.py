"""From landed files to features through Dagster: faults are named, the other days are published, a re-run does only
what changed.
"""

from datetime import date
from pathlib import Path

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.steps import check_results
from ml_assets.pipeline.validation import stage as validation
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import ROWS, World, again, check, computed, day, failure, rows_of

DAILY = list(LANDED_TO_FEATURES)
SPEC = ModelSpec.model_validate({**SMALL, "quality": {"max_bad_share": 0.1}})


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Six good days have landed."""
    world = World(tmp_path, SPEC)
    for number in range(1, 7):
        world.land(day(number), rows_of(day(number)))
    return world


def test_every_day_gets_its_rows_and_a_second_run_does_nothing(world):
    result = world.run(DAILY, day(1), day(6))
    for name in DAILY:
        assert computed(result, name) == [day(number) for number in range(1, 7)]
    stages = world.stages()
    for table in (
        stages.ingestion.tables["raw_data"],
        stages.validation.tables["validated_data"],
        stages.features.tables["features"],
    ):
        assert table.row_counts() == {day(number): ROWS for number in range(1, 7)}
    assert check(result, "every_day_accepted").passed
    before = world.commits()
    again = world.run(DAILY, day(1), day(6))
    assert [computed(again, name) for name in DAILY] == [[]] * 4
    assert world.commits() == before


def test_a_day_s_rows_and_outcome_are_metadata_of_that_day(world):
    result = world.run(DAILY, day(1), day(2))
    events = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    metadata_by_day = {(e.asset_key.path[-1], e.partition): e.metadata for e in events}
    assert metadata_by_day["features", str(day(1))]["dagster/partition_row_count"].value == ROWS
    assert metadata_by_day["raw_data", str(day(2))]["bytes"].value > 0
    assert "dagster/column_lineage" in metadata_by_day["features", str(day(2))]


def test_one_changed_row_remakes_exactly_the_days_that_can_see_it(world):
    world.run(DAILY, day(1), day(6))
    changed = rows_of(day(3))
    changed.loc[0, "amount"] += 1
    world.land(day(3), changed)
    result = world.run(DAILY, day(1), day(6))
    assert computed(result, "raw_data") == computed(result, "validated_data") == [day(3)]
    # The window of the features is one day long; no row of day 4 sees this row, which is early on its day.
    assert again(result, "features") == [day(3), day(4)]
    assert computed(result, "features") == [day(3)]


@pytest.mark.slow
def test_the_same_content_written_again_changes_nothing(world):
    world.run(DAILY, day(1), day(6))
    world.land(day(3), rows_of(day(3)))
    assert computed(world.run(DAILY, day(1), day(6)), "raw_data") == []


def faulty(world: World) -> None:
    """Day 2: 5 % bad rows. Day 3: 60 %. Day 4: missing. Day 5: torn parquet. Day 6: a CSV file without a column."""
    few, many = rows_of(day(2)), rows_of(day(3))
    few.loc[:2, "amount"] = -1.0
    many.loc[: int(ROWS * 0.6) - 1, "card"] = None
    world.land(day(2), few)
    world.land(day(3), many)
    world.remove(day(4))
    whole = (world.root / "landing" / str(day(5)) / "rows.parquet").read_bytes()
    world.land(day(5), whole[: len(whole) // 2])
    world.remove(day(6))
    world.land(day(6), rows_of(day(6)).drop(columns="amount"), "rows.csv")


def test_faulty_days_are_named_and_the_others_published(world):
    faulty(world)
    result = world.run(DAILY, day(1), day(6))
    assert world.stages().validation.tables["validated_data"].row_counts() == {day(1): ROWS, day(2): ROWS - 3}
    evaluation = check(result, "every_day_accepted")
    assert not evaluation.passed
    assert evaluation.metadata["days_not_accepted"].value == 4
    faults = {
        (r.data["day"], r.data["scope"], r.data["file"], r.data["reason"]): r.data["rows"]
        for r in evaluation.metadata["faults"].records
    }
    assert faults[str(day(2)), "row", f"{day(2)}/rows.parquet", "amount: less than minimum 0"] == 3
    assert faults[str(day(3)), "day", "", "36 of 60 rows (60.0%) are bad, more than quality.max_bad_share 10.0%"] == 1
    assert faults[str(day(3)), "row", f"{day(3)}/rows.parquet", "card: missing"] == 36
    assert (str(day(4)), "day", "", f"no files have landed for {day(4)}") in faults
    assert (str(day(5)), "day", "", f"cannot be read: {day(5)}/rows.parquet") in faults
    assert any(key[:3] == (str(day(5)), "file", f"{day(5)}/rows.parquet") for key in faults)
    assert faults[str(day(6)), "row", f"{day(6)}/rows.csv", "amount: column missing in file"] == ROWS
    assert any(key[1] == "file" and "column missing: amount" in key[3] for key in faults)


def test_a_faulty_day_is_named_however_many_rows_are_in_quarantine(world, monkeypatch):
    few_bad = rows_of(day(1))
    few_bad.loc[:2, "amount"] = -1.0
    world.land(day(1), few_bad)
    world.remove(day(6))
    monkeypatch.setattr(check_results, "MOST_LINES", 1)
    monkeypatch.setattr(validation, "ENTRIES_AT_ONCE", 2)
    metadata = check(world.run(DAILY, day(1), day(6)), "every_day_accepted").metadata
    assert metadata["rows_quarantined"].value == 3
    assert [(fault.data["day"], fault.data["scope"]) for fault in metadata["faults"].records] == [(str(day(6)), "day")]


@pytest.mark.slow
def test_a_faulty_day_still_fails_the_check_when_it_is_unchanged(world):
    faulty(world)
    world.run(DAILY, day(1), day(6))
    again = world.run(DAILY, day(1), day(6))
    assert [computed(again, name) for name in DAILY] == [[]] * 4
    assert check(again, "every_day_accepted").metadata["days_not_accepted"].value == 4


@pytest.mark.slow
def test_a_torn_file_beside_unchanged_rows_rejects_the_day(world):
    world.run(DAILY, day(1), day(3))
    world.land(day(2), b"torn", "late.parquet")
    assert computed(world.run(DAILY, day(1), day(3)), "validated_data") == [day(2)]
    assert world.stages().validation.tables["validated_data"].row_counts() == {day(1): ROWS, day(3): ROWS}


def test_after_a_repair_only_that_day_and_what_sees_it_is_made(world):
    faulty(world)
    world.run(DAILY, day(1), day(6))
    world.land(day(4), rows_of(day(4)))
    result = world.run(DAILY, day(1), day(6))
    assert computed(result, "validated_data") == [day(4)]
    # Day 5 has no rows that could see it.
    assert again(result, "features") == [day(4), day(5)]
    assert computed(result, "features") == [day(4)]
    assert check(result, "every_day_accepted").metadata["days_not_accepted"].value == 3


def test_a_single_partition_run_of_a_day_without_files_fails_and_says_where_to_put_them(world):
    assert "no files have landed for 2025-02-20; looked for {day}/*" in failure(
        world.run(["raw_data"], date(2025, 2, 20), succeed=False)
    )


def test_a_stage_whose_input_was_never_made_names_the_days(world):
    world.run(["raw_data"], day(2))
    assert "cannot be computed without raw_data of that day; materialize raw_data first" in failure(
        world.run(["validated_data", "quarantined_data"], day(3), succeed=False)
    )
    world.run(["validated_data", "quarantined_data"], day(2))
    message = failure(world.run(["features"], day(2), succeed=False))
    assert f"1 of these days has not been made, the first {day(1)}" in message
    command = (
        "`dg launch --assets 'tag:model=small and (tag:stage=ingestion or tag:stage=validation)' --partition-range"
    )
    assert f"{command} {day(1)}...{day(1)}`" in message


def test_days_on_s3_are_made_once(tmp_path, bucket):
    uri, s3 = bucket
    world = World(tmp_path, SPEC, Lake(uri=f"{uri}/lake", s3=s3), Landing(uri=f"{uri}/landing", s3=s3))
    for number in (1, 2):
        world.land(day(number), rows_of(day(number)))
    result = world.run(DAILY, day(1), day(2))
    assert computed(result, "features") == [day(1), day(2)]
    assert world.stages().features.tables["features"].row_counts() == {day(1): ROWS, day(2): ROWS}
    assert computed(world.run(DAILY, day(1), day(2)), "raw_data") == []


def test_one_of_the_two_assets_of_a_stage_can_be_materialized_without_the_other(world):
    world.run(["raw_data"], day(1))
    assert computed(world.run(["validated_data"], day(1)), "validated_data") == [day(1)]
    assert computed(world.run(["quarantined_data"], day(1)), "quarantined_data") == []


def test_a_range_with_days_that_cannot_be_made_reports_those_that_were(world):
    world.run(["raw_data", "validated_data", "quarantined_data"], day(1), day(3))
    result = world.run(["features"], day(2), day(5), succeed=False)
    assert "needs" in failure(result) or "not been made" in failure(result)
    partitions = [event.partition for event in result.all_events if event.event_type_value == "ASSET_MATERIALIZATION"]
    assert partitions == [str(day(2)), str(day(3))]
    assert world.stages().features.tables["features"].row_counts() == {day(2): ROWS, day(3): ROWS}


@pytest.mark.slow
def test_a_day_that_never_landed_does_not_stop_the_days_that_can_see_it(world):
    world.remove(day(4))
    for number in (1, 2, 3, 5):
        world.run(DAILY, day(number))
    features = world.stages().features.tables["features"]
    assert features.row_counts() == {day(number): ROWS for number in (1, 2, 3, 5)}
    world.land(day(4), rows_of(day(4)))
    assert "has not been made" in failure(world.run(["features"], day(5), succeed=False))
    assert computed(world.run(DAILY, day(4), day(5)), "features") == [day(4), day(5)]


def test_a_day_whose_files_were_removed_is_emptied_even_by_a_single_partition_run(world):
    world.run(DAILY, day(1), day(2))
    world.remove(day(1))
    result = world.run(DAILY, day(1))
    assert world.stages().validation.tables["validated_data"].row_counts().keys() == {day(2)}
    assert not check(result, "every_day_accepted").passed


@pytest.mark.slow
def test_a_column_or_a_feature_can_be_taken_out_of_the_specification(world):
    world.run(DAILY, day(1), day(3))
    less = {**SMALL, "features": SMALL["features"][1:], "entity": None}
    result = World(world.root, ModelSpec.model_validate(less)).run(DAILY, day(1), day(3))
    assert computed(result, "features") == [day(1), day(2), day(3)]


@pytest.mark.slow
def test_across_a_window_of_more_than_a_hundred_days_exactly_the_days_that_see_a_change_are_made_again(tmp_path):
    long = {"kind": "window", "key": "card", "value": "amount", "aggregates": ["mean"], "windows": ["105d"]}
    world = World(tmp_path, ModelSpec.model_validate({**SMALL, "features": [long]}))
    for number in (1, 2, 3, 107, 108, 109):
        world.land(day(number), rows_of(day(number)))
    for first, last in [(1, 3), (107, 109)]:
        world.run(DAILY, day(first), day(last))
    world.land(day(2), rows_of(day(2)).head(30))
    world.run(DAILY, day(1), day(3))
    result = world.run(DAILY, day(107), day(109))
    assert computed(result, "validated_data") == []
    # Midnight of day 107 is 105 days after that of day 2.
    assert computed(result, "features") == [day(107)]


@pytest.mark.parametrize("damage", ["truncated", pytest.param("gone", marks=pytest.mark.slow)])
def test_a_damaged_file_of_a_day_stops_no_other_day_and_a_single_partition_run_replaces_it(world, damage):
    world.run(DAILY, day(1), day(6))
    before = world.stages().features.tables["features"].read([day(5)])
    (file,) = (world.root / "lake" / "small" / "validated_data" / f"day={day(4)}").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:200]) if damage == "truncated" else file.unlink()
    for number in (2, 5):
        world.land(day(number), rows_of(day(number), 61))
    result = world.run(DAILY, day(1), day(6), succeed=False)
    assert f"with rows of {day(4)}, is {'damaged' if damage == 'truncated' else 'gone'}" in failure(result)
    assert f"Materialize validated_data of {day(4)} by itself" in failure(result)
    # That of day 5 sees day 4.
    assert computed(result, "features") == [day(2), day(3), day(6)]
    assert computed(world.run(["validated_data", "quarantined_data"], day(4)), "validated_data") == [day(4)]
    assert computed(world.run(DAILY, day(1), day(6)), "features") == [day(5)]
    assert world.stages().features.tables["features"].read([day(5)]).num_rows == before.num_rows + 1
    assert computed(world.run(["validated_data", "quarantined_data"], day(4)), "validated_data") == []
