"""Labels in files of their own change exactly the feature days and models that read them."""

from datetime import timedelta

import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, landed_to_features
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, check, computed, day, failure, rows_of

TARGET_WINDOW = {
    "kind": "window",
    "key": "card",
    "value": "label",
    "aggregates": ["mean"],
    "windows": ["2d"],
    "delay": "2d",
}
LABELS = {"files": "labels/{day}/*", "key": ["id"], "label": "fraud", "known_at": "confirmed"}
WITHOUT_TARGET_WINDOWS = ModelSpec.model_validate({**SMALL, "labels": LABELS})
SPEC = ModelSpec.model_validate({**SMALL, "labels": LABELS, "features": [*SMALL["features"], TARGET_WINDOW]})
LAST = 14
MODELS = ["trained_model", "evaluation"]


def labels_of(number: int) -> pd.DataFrame:
    """Return the labels of the rows of a day, known two days later."""
    rows = rows_of(day(number))
    return pd.DataFrame(
        {"id": rows["id"], "fraud": rows["label"], "confirmed": pd.Timestamp(day(number + 2), tz="UTC")}
    )


def world_with_labels(root, spec: ModelSpec = SPEC) -> World:
    """Create a world with 14 days of rows without a label, whose labels are delivered two days after them."""
    world = World(root, spec)
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number)).drop(columns="label"))
        if number > 2:
            world.land_at(f"labels/{day(number)}/labels.parquet", labels_of(number - 2))
    world.run(list(landed_to_features(spec)), day(1), day(LAST))
    return world


def correct(world: World, row_day: int, delivered: int, name: str = "corrected.parquet") -> None:
    """Invert the labels of the first rows of a day, in a file of a later day."""
    labels = labels_of(row_day).head(20)
    world.land_at(
        f"labels/{day(delivered)}/{name}",
        labels.assign(fraud=1 - labels["fraud"], confirmed=pd.Timestamp(day(delivered), tz="UTC")),
    )


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory) -> World:
    """A world with models of days 12 to 14, which tests copy."""
    world = world_with_labels(tmp_path_factory.mktemp("labels"))
    world.run(MODELS, day(12), day(LAST))
    return world


@pytest.fixture
def world(shared_world, tmp_path) -> World:
    return shared_world.copy(tmp_path)


def test_a_model_is_trained_and_evaluated_on_labels_that_came_later(world):
    row = world.stages().training.row(day(LAST))
    assert row["rows"] == 4 * 60
    assert 0 < row["positives"] < row["rows"]
    scores = world.stages().evaluation.tables["evaluation"].read([day(LAST)]).to_pandas()
    expected = pd.concat([rows_of(day(11)), rows_of(day(12))]).set_index("id")["label"]
    assert (scores.set_index("id")["label"] == expected.loc[scores["id"]]).all()


@pytest.mark.slow
def test_nothing_is_made_again_when_nothing_changed(world):
    names = [*landed_to_features(SPEC)]
    result = world.run(names, day(1), day(LAST))
    assert [computed(result, name) for name in names] == [[]] * len(names)
    assert computed(world.run(MODELS, day(12), day(LAST)), "trained_model") == []


@pytest.mark.slow
def test_a_corrected_label_makes_again_only_what_reads_it(world):
    # Known on day 13: the features of day 14 read the labels of days 10 to 12, the model of day 13 was trained on days
    # 4 to 7, that of 14 on 5 to 8.
    correct(world, row_day=7, delivered=13)
    result = world.run(list(landed_to_features(SPEC)), day(1), day(LAST))
    assert computed(result, "raw_labels") == [day(13)]
    assert computed(result, "validated_labels") == [day(13)]
    assert computed(result, "raw_data") == computed(result, "features") == []
    result = world.run(MODELS, day(12), day(LAST))
    assert computed(result, "trained_model") == [day(13), day(14)]


@pytest.mark.slow
def test_a_corrected_label_of_the_holdout_evaluates_again_without_training(world):
    correct(world, row_day=12, delivered=14)
    world.run(list(landed_to_features(SPEC)), day(1), day(LAST))
    result = world.run(MODELS, day(12), day(LAST))
    assert computed(result, "trained_model") == []
    assert computed(result, "evaluation") == [day(14)]


@pytest.mark.slow
def test_a_late_label_changes_only_features_of_later_days_whose_windows_read_its_row(world):
    # A row of day 10, whose labels the features of days 12 to 14 read; its label is known from day 13, for day 14 only.
    correct(world, row_day=10, delivered=13)
    result = world.run(list(landed_to_features(SPEC)), day(1), day(LAST))
    assert computed(result, "features") == [day(14)]


@pytest.mark.slow
def test_the_same_label_delivered_again_makes_nothing_again(world):
    world.land_at(f"labels/{day(13)}/again.parquet", labels_of(7))
    result = world.run(list(landed_to_features(SPEC)), day(1), day(LAST))
    assert computed(result, "validated_labels") == [day(13)]
    assert computed(result, "features") == []
    assert computed(world.run(MODELS, day(12), day(LAST)), "trained_model") == []


@pytest.mark.slow
def test_rows_without_a_label_are_left_out(tmp_path):
    world = world_with_labels(tmp_path, WITHOUT_TARGET_WINDOWS)
    half = labels_of(6).head(30)
    world.land_at(f"labels/{day(8)}/labels.parquet", half)
    world.run(list(landed_to_features(WITHOUT_TARGET_WINDOWS)), day(1), day(LAST))
    world.run(MODELS, day(LAST))
    assert world.stages().training.row(day(LAST))["rows"] == 3 * 60 + 30


@pytest.mark.slow
def test_a_day_without_label_files_is_accepted_and_an_invalid_label_is_quarantined(tmp_path):
    world = world_with_labels(tmp_path)
    world.land_at(
        f"labels/{day(5)}/bad.csv",
        b"id,fraud,confirmed\n1,7,2025-01-05\n2,1,not a time\n3,0,2025-01-05\n4,1,2025-01-05\n4,0,2025-01-05\n",
    )
    result = world.run(["raw_labels", "validated_labels", "quarantined_labels"], day(1), day(LAST))
    quarantined = world.stages().label_validation.quarantined.read([day(5)]).to_pylist()
    assert [entry["reasons"] for entry in quarantined] == [
        ["label: not one of 0, 1"],
        ["known_at: cannot be read"],
        *[["row_key id, known_at: stands in rows that differ"]] * 2,
    ]
    assert check(result, "every_day_accepted").passed
    assert world.run(["raw_labels"], day(2)).success


@pytest.mark.slow
def test_a_model_is_not_made_without_label_files_that_have_landed(tmp_path):
    world = world_with_labels(tmp_path)
    world.land_at(f"labels/{day(LAST + 1)}/labels.parquet", labels_of(LAST - 1))
    world.land(day(LAST + 1), rows_of(day(LAST + 1)).drop(columns="label"))
    world.run(["raw_data", "validated_data", "quarantined_data"], day(LAST + 1))
    message = failure(world.run(MODELS, day(LAST + 1), succeed=False))
    assert f"are needed for the trained_model of {day(LAST + 1)}" in message
    assert f"the first {day(LAST + 1)}" in message


def test_the_provenance_names_label_files_and_digests_of_their_labels(world):
    import json

    row = world.stages().training.row(day(LAST))
    provenance = json.loads(world.lake.files.read(f"{row['artifacts']}/passport.json"))
    assert {entry["key"] for entry in provenance["landed_objects"]} >= {
        f"labels/{day(10)}/labels.parquet",
        f"{day(8)}/rows.parquet",
    }
    assert set(provenance["days"]["labels"]) == {str(day(number)) for number in range(5, 9)}
    assert set(provenance["days"]["validated_labels"]) == {str(day(1) + timedelta(days=n)) for n in range(LAST)}


@pytest.mark.slow
def test_labels_from_files_that_come_in_time_give_the_same_model_as_labels_in_the_rows(tmp_path):
    plain = ModelSpec.model_validate({**SMALL, "features": [*SMALL["features"], TARGET_WINDOW]})
    together, apart = World(tmp_path / "together", plain), World(tmp_path / "apart", SPEC)
    for world in (together, apart):
        world.root.mkdir()
        for number in range(1, LAST + 1):
            world.land(
                day(number), rows_of(day(number)) if world is together else rows_of(day(number)).drop(columns="label")
            )
            if world is apart:
                # The label delay is two days, and features read labels that were known the day before.
                world.land_at(
                    f"labels/{day(number + 1)}/labels.parquet",
                    labels_of(number).assign(confirmed=pd.Timestamp(day(number + 1), tz="UTC")),
                )
        world.run(list(landed_to_features(world.spec)), day(1), day(LAST))
        world.run(MODELS, day(LAST))
    digests = [world.stages().training.row(day(LAST))["model_digest"] for world in (together, apart)]
    assert digests[0] == digests[1]
    metrics = [world.stages().evaluation.overall(day(LAST)) for world in (together, apart)]
    pd.testing.assert_frame_equal(*metrics)


@pytest.mark.slow
def test_labels_can_be_moved_to_files_of_their_own_after_models_were_made(tmp_path):
    columns = {**SMALL["columns"], "number": {"type": "integer"}}
    before = ModelSpec.model_validate(
        {**SMALL, "columns": columns, "row_key": ["id"], "features": [*SMALL["features"], TARGET_WINDOW]}
    )
    world = World(tmp_path, before)
    for number in range(1, LAST + 1):
        rows = rows_of(day(number))
        world.land(day(number), rows.assign(number=rows["id"]))
        world.land_at(f"labels/{day(number)}/labels.parquet", labels_of(number).rename(columns={"id": "number"}))
    world.run(list(LANDED_TO_FEATURES), day(1), day(LAST))
    world.run(MODELS, day(LAST))
    # The existing features have no column with the new key.
    world.spec = ModelSpec.model_validate({**before.model_dump(mode="json"), "labels": {**LABELS, "key": ["number"]}})
    result = world.run(list(landed_to_features(world.spec)), day(1), day(LAST))
    assert computed(result, "features") == [day(number) for number in range(1, LAST + 1)]
    world.run(MODELS, day(LAST))
