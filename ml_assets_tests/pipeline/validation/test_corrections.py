"""Corrections from quarantine to features: corrected rows are published, and only days that read them change."""

import io
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from ml_assets.cli.commands.quarantine import write_quarantine
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.fingerprint import CHANGED_INPUT, CHANGED_SPEC
from ml_assets.core.validation.correction_file import RepairRefused
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.planning.repair import (
    check_file,
    corrections_of,
    days_of_changed_rules,
    days_to_validate,
    feature_days_to_make,
    keep_corrections,
)
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.planning.plan_cases import assert_a_run_does_it, plan_of, planned
from ml_assets_tests.pipeline.world import ROWS, World, again, computed, day, rows_of

DAILY = list(LANDED_TO_FEATURES)
VALIDATION = ["validated_data", "quarantined_data"]
SPEC = ModelSpec.model_validate({**SMALL, "quality": {"max_bad_share": 0.1}})


def landed(root: Path, lake: Lake | None = None, landing: Landing | None = None) -> World:
    """Create a world with six days: day 2 has three rows with a bad amount (the last of the day), day 4 is rejected for
    12 rows without a card.
    """
    world = World(root, SPEC, lake, landing)
    for number in range(1, 7):
        world.land(day(number), rows_of(day(number)))
    few, many = rows_of(day(2)), rows_of(day(4))
    few.loc[ROWS - 3 :, "amount"] = -1.0
    many.loc[:11, "card"] = None
    world.land(day(2), few)
    world.land(day(4), many)
    world.run(DAILY, day(1), day(6))
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return landed(tmp_path)


def export(world: World, *days: date) -> pd.DataFrame:
    out, stages = io.BytesIO(), world.stages()
    rows_by_day = write_quarantine(stages, days or sorted(stages.validation.quarantined.row_counts()), out)
    assert 0 not in rows_by_day.values()
    return pd.read_csv(io.BytesIO(out.getvalue()), dtype=str, keep_default_na=False)


def repair(world: World, rows: pd.DataFrame) -> int:
    """Store corrected rows as the command does, and return how many were new."""
    stages, lake = world.stages(), Lake(uri=world.lake.uri, s3=world.lake.s3)
    corrections = corrections_of(stages, lake)
    checked = check_file(stages, corrections, "fixed.csv", rows.to_csv(index=False).encode())
    keep_corrections(corrections, checked)
    return checked.rows()


def amounts(world: World, number: int) -> list[float]:
    return world.stages().validation.validated.read([day(number)])["amount"].to_pylist()


def test_corrected_rows_are_published_and_only_days_that_read_them_are_made(world):
    rows = export(world, day(2))
    assert list(rows["_reasons"]) == ["amount: less than minimum 0"] * 3
    assert repair(world, rows.assign(amount="4.25")) == 3
    assert days_to_validate(world.stages(), [day(number) for number in range(1, 7)]) == [day(2)]
    plan = plan_of(world, day(1), day(6))
    assert {name: list(planned(plan, name)) for name in ("raw_data", "validated_data", "features")} == {
        "raw_data": [],
        "validated_data": [day(2)],
        "features": [day(2), day(3)],
    }
    assert planned(plan, "validated_data")[day(2)].reasons == (CHANGED_INPUT,)
    assert_a_run_does_it(world, plan)
    assert amounts(world, 2).count(4.25) == 3
    assert len(amounts(world, 2)) == ROWS
    assert export(world, day(2)).empty
    assert world.stages().ingestion.tables["raw_data"].read([day(2)])["amount"].to_pylist().count(-1.0) == 3


@pytest.mark.slow
def test_only_features_of_days_that_read_a_correction_are_made(world):
    repair(world, export(world, day(2)).assign(amount="4.25"))
    world.run(VALIDATION, day(2))
    assert feature_days_to_make(world.stages(), [day(2)]) == [day(2), day(3)]
    result = world.run(["features"], day(1), day(6))
    assert again(result, "features") == computed(result, "features") == [day(2), day(3)]


@pytest.mark.slow
def test_a_rejected_day_comes_back_once_enough_rows_are_corrected(world):
    rows = export(world, day(4))
    assert list(rows["_reasons"]) == ["card: missing"] * 12
    repair(world, rows.head(6).assign(card="card-1"))
    result = world.run(DAILY, day(1), day(6))
    assert computed(result, "validated_data") == [day(4)]
    assert len(amounts(world, 4)) == ROWS - 6
    assert list(export(world, day(4))["_source_row"]) == list(rows["_source_row"].tail(6))


@pytest.mark.slow
def test_applying_a_file_twice_has_no_effect_and_the_latest_correction_wins(world):
    rows = export(world, day(2))
    repair(world, rows.assign(amount="4.25"))
    world.run(DAILY, day(1), day(6))
    before = world.commits()
    assert repair(world, rows.assign(amount="4.250")) == 0
    assert repair(world, rows.assign(amount="9").head(1)) == 1
    world.run(DAILY, day(1), day(6))
    assert (amounts(world, 2).count(4.25), amounts(world, 2).count(9.0)) == (2, 1)
    changed = {name for name, version in world.commits().items() if version != before[name]}
    assert {"validated_data", "features"} <= changed
    assert not changed & {"raw_data", "landed_objects", "quarantined_data", "violations"}


def test_a_file_with_invalid_rows_changes_nothing_and_each_is_named(world):
    rows = export(world)
    rows.loc[0, "amount"] = "4"
    with pytest.raises(RepairRefused) as refused:
        repair(world, rows)
    lines = str(refused.value).splitlines()
    assert lines[0] == "fixed.csv: 14 faults, nothing was changed; correct the rows, or remove them"
    assert f"row 2 ({day(2)}, {day(2)}/rows.parquet, row {ROWS - 2}): amount: less than minimum 0" in lines
    assert f"row 4 ({day(4)}, {day(4)}/rows.parquet, row 0): card: missing" in lines
    assert list(world.lake.files.keys("small/correction")) == []


@pytest.mark.slow
def test_corrections_of_a_replaced_file_are_not_applied_to_the_new_one(world):
    repair(world, export(world, day(2)).assign(amount="4.25"))
    world.run(DAILY, day(1), day(6))
    world.land(day(2), rows_of(day(2)))
    world.run(DAILY, day(1), day(6))
    assert amounts(world, 2) == sorted_amounts(rows_of(day(2)))
    assert days_to_validate(world.stages(), [day(2)]) == []


def sorted_amounts(rows: pd.DataFrame) -> list[float]:
    return rows.sort_values(["event_time", "id"])["amount"].tolist()


@pytest.mark.slow
def test_a_corrected_rule_changes_only_the_days_that_violated_it(tmp_path):
    columns = {**SMALL["columns"], "amount": {"type": "number", "minimum": 0, "maximum": 1000}}
    world = World(tmp_path, ModelSpec.model_validate({**SMALL, "columns": columns}))
    for number in range(1, 7):
        rows = rows_of(day(number))
        if number == 3:
            rows.loc[ROWS - 1, "amount"] = 1500.0
        world.land(day(number), rows)
    world.run(DAILY, day(1), day(6))
    corrected = {**columns, "amount": {"type": "number", "minimum": 0, "maximum": 2000}}
    world = World(tmp_path, ModelSpec.model_validate({**SMALL, "columns": corrected}))
    plan = plan_of(world, day(1), day(6))
    every = [day(number) for number in range(1, 7)]
    assert days_of_changed_rules(plan) == {"validated_data": every, "features": every}
    assert planned(plan, "validated_data")[day(1)].reasons == (CHANGED_SPEC,)
    result = world.run(DAILY, day(1), day(6))
    assert again(result, "validated_data") == every
    assert computed(result, "validated_data") == [day(3)]
    assert again(result, "features") == computed(result, "features") == [day(3), day(4)]
    assert 1500.0 in amounts(world, 3)
    assert days_of_changed_rules(plan_of(world, day(1), day(6))) == {}


@pytest.mark.slow
def test_corrections_can_be_stored_in_a_bucket(tmp_path, bucket):
    uri, s3 = bucket
    world = World(tmp_path, SPEC, Lake(uri=f"{uri}/lake", s3=s3), Landing(uri=f"{uri}/landing", s3=s3))
    bad = rows_of(day(1))
    bad.loc[0, "amount"] = -1.0
    world.land(day(1), bad)
    world.run(DAILY, day(1))
    assert repair(world, export(world).assign(amount="7")) == 1
    result = world.run(DAILY, day(1))
    assert computed(result, "validated_data") == computed(result, "features") == [day(1)]
    assert 7.0 in amounts(world, 1)
    assert export(world).empty


def test_the_sensor_lists_no_corrections_and_a_run_lists_them_once(world, monkeypatch):
    listed = []
    directory = type(world.lake.files)
    monkeypatch.setattr(
        directory,
        "keys",
        lambda self, prefix="", *more, keys=directory.keys: listed.append(prefix) or keys(self, prefix, *more),
    )
    stages = world.stages()
    for number in range(1, 7):
        stages.ingestion.compare(day(number), world.landing.objects_of_day(SPEC.source, day(number)))
    assert not [prefix for prefix in listed if "corrections" in prefix]
    assert days_to_validate(stages, [day(number) for number in range(1, 7)]) == []
    assert len([prefix for prefix in listed if "corrections" in prefix]) == 1
