"""Labels that belong to no row fail a check, are in metadata and report, and can stop the training."""

import json
from datetime import timedelta

import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LABEL_ASSETS
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, check, day, rows_of

KEYED = {
    **SMALL,
    "columns": {**SMALL["columns"], "id": {"type": "string"}},
    "labels": {"files": "labels/{day}/*", "key": ["id"]},
    "label_delay": "1d",
    "checks": {**SMALL["checks"], "label_match": {"max_unmatched_share": 0.1, "blocking": True}},
}
NAMES = [*LABEL_ASSETS, "raw_data", "validated_data", "quarantined_data", "features"]
DAYS = range(1, 11)


def land_day(world: World, number: int, lost_zeros: bool = False, duplicated: bool = False) -> None:
    rows = rows_of(day(number)).drop(columns="label")
    ids = rows["id"].astype(str).str.zfill(12)
    rows = rows.assign(id=ids, amount=rows["amount"].where(rows.index > 3, -1) if duplicated else rows["amount"])
    world.land(day(number), rows)
    keys = ids.astype(int).astype(str) if lost_zeros else ids
    known = pd.Timestamp(day(number), tz="UTC") + timedelta(hours=23)
    labels = pd.DataFrame({"id": keys, "label": rows.index % 2, "known_at": known})
    world.land_at(f"labels/{day(number)}/labels.csv", labels)


@pytest.fixture
def world(tmp_path) -> World:
    world = World(tmp_path, ModelSpec.model_validate(KEYED))
    for number in DAYS:
        land_day(world, number, lost_zeros=number == 6, duplicated=number == 8)
    return world


def test_labels_that_lost_their_leading_zeros_are_found_and_stop_the_training(world):
    result = world.run(NAMES, day(1), day(10))
    evaluation = check(result, "label_match")
    assert not evaluation.passed
    assert f"{day(6)}: " in str(evaluation.description)
    assert "belong to no row" in str(evaluation.description)
    assert "leading zeros" in str(evaluation.description)
    by_day = {row.data["day"]: row.data["verdict"] for row in evaluation.metadata["by_day"].value.records}
    assert [number for number in DAYS if by_day[str(day(number))] == "failed"] == [6]
    (metadata,) = [
        event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key.path[-1] == "validated_labels" and event.partition == str(day(6))
    ]
    assert metadata["labels_without_row"].value == metadata["labels"].value == metadata["labels_of_other_form"].value
    report = json.loads(world.lake.files.read(f"small/reports/{day(6)}/validated_labels.json"))
    assert "Labels that belong to no row" in [table["title"] for table in report["tables"]]
    gate = world.stages().training.gate
    assert gate.reason(day(5)) is None
    assert f"label_match of the labels delivered on {day(6)}" in str(gate.reason(day(10)))
    land_day(world, 6)
    world.run(NAMES, day(1), day(10))
    gate.refresh()
    assert gate.reason(day(10)) is None


def test_labels_whose_rows_are_made_in_the_same_run_or_were_rejected_have_rows(tmp_path):
    spec = ModelSpec.model_validate({**KEYED, "quality": {"max_bad_share": 0.01}})
    world = World(tmp_path, spec)
    for number in (1, 2, 3):
        land_day(world, number, duplicated=number == 3)
    result = world.run(NAMES, day(1), day(3))
    assert world.stages().validation.problem(day(3)) is not None
    assert check(result, "label_match").passed


def test_labels_of_rows_that_have_not_landed_are_not_evaluated(tmp_path):
    world = World(tmp_path, ModelSpec.model_validate(KEYED))
    land_day(world, 1)
    (tmp_path / "landing" / str(day(1)) / "rows.parquet").unlink()
    result = world.run(list(LABEL_ASSETS), day(1))
    assert "may be outside the lake" in str(check(result, "label_match").description)
