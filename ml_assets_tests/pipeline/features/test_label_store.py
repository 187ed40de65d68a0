"""Labels in files of their own reach exactly the feature days and models that see them."""

from datetime import timedelta

import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS, landed_to_features
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
MODELS = list(MODEL_ASSETS)


def labels_of(number: int) -> pd.DataFrame:
    """The labels of the rows of a day, known two days later."""
    rows = rows_of(day(number))
    return pd.DataFrame(
        {"id": rows["id"], "fraud": rows["label"], "confirmed": pd.Timestamp(day(number + 2), tz="UTC")}
    )


def world(root, spec: ModelSpec = SPEC) -> World:
    """Fourteen days of rows without a label, whose labels are delivered two days after them."""
    made = World(root, spec)
    for number in range(1, LAST + 1):
        made.land(day(number), rows_of(day(number)).drop(columns="label"))
        if number > 2:
            made.land_at(f"labels/{day(number)}/labels.parquet", labels_of(number - 2))
    made.run(list(landed_to_features(spec)), day(1), day(LAST))
    return made


def correct(made: World, row_day: int, delivered: int, name: str = "corrected.parquet") -> None:
    """Turn the labels of a day's first rows round, in a file of a later day."""
    labels = labels_of(row_day).head(20)
    made.land_at(
        f"labels/{day(delivered)}/{name}",
        labels.assign(fraud=1 - labels["fraud"], confirmed=pd.Timestamp(day(delivered), tz="UTC")),
    )


@pytest.fixture(scope="module")
def made_once(tmp_path_factory) -> World:
    """The world with models of days 12 to 14, not to be changed."""
    made = world(tmp_path_factory.mktemp("labels"))
    made.run(MODELS, day(12), day(LAST))
    return made


@pytest.fixture
def followed(made_once, tmp_path) -> World:
    return made_once.copy(tmp_path)


def test_a_model_is_trained_and_judged_on_labels_that_came_later(followed):
    row = followed.stages().training.row(day(LAST))
    assert row["rows"] == 4 * 60
    assert 0 < row["positives"] < row["rows"]
    scores = followed.stages().evaluation.tables["evaluation"].read([day(LAST)]).to_pandas()
    expected = pd.concat([rows_of(day(11)), rows_of(day(12))]).set_index("id")["label"]
    assert (scores.set_index("id")["label"] == expected.loc[scores["id"]]).all()


@pytest.mark.slow
def test_nothing_is_made_again_when_nothing_changed(followed):
    names = [*landed_to_features(SPEC)]
    result = followed.run(names, day(1), day(LAST))
    assert [computed(result, name) for name in names] == [[]] * len(names)
    assert computed(followed.run(MODELS, day(12), day(LAST)), "trained_model") == []


@pytest.mark.slow
def test_a_corrected_label_makes_again_what_sees_it_and_nothing_else(followed):
    # Known on day 13: the features of day 14 see the labels of days 10 to 12, the model of day 13 was trained on days 4
    # to 7, that of 14 on 5 to 8.
    correct(followed, row_day=7, delivered=13)
    result = followed.run(list(landed_to_features(SPEC)), day(1), day(LAST))
    assert computed(result, "raw_labels") == [day(13)]
    assert computed(result, "validated_labels") == [day(13)]
    assert computed(result, "raw_data") == computed(result, "features") == []
    result = followed.run(MODELS, day(12), day(LAST))
    assert computed(result, "trained_model") == [day(13), day(14)]


@pytest.mark.slow
def test_a_corrected_label_of_the_holdout_judges_again_without_training(followed):
    correct(followed, row_day=12, delivered=14)
    followed.run(list(landed_to_features(SPEC)), day(1), day(LAST))
    result = followed.run(MODELS, day(12), day(LAST))
    assert computed(result, "trained_model") == []
    assert computed(result, "evaluation") == [day(14)]


def test_a_late_label_reaches_only_features_of_later_days_whose_windows_see_its_row(followed):
    # Of the rows of day 10, whose labels the features of days 12 to 14 see; on day 13 it becomes known to day 14 alone.
    correct(followed, row_day=10, delivered=13)
    result = followed.run(list(landed_to_features(SPEC)), day(1), day(LAST))
    assert computed(result, "features") == [day(14)]


@pytest.mark.slow
def test_the_same_label_delivered_again_makes_nothing_again(followed):
    followed.land_at(f"labels/{day(13)}/again.parquet", labels_of(7))
    result = followed.run(list(landed_to_features(SPEC)), day(1), day(LAST))
    assert computed(result, "validated_labels") == [day(13)]
    assert computed(result, "features") == []
    assert computed(followed.run(MODELS, day(12), day(LAST)), "trained_model") == []


@pytest.mark.slow
def test_rows_without_a_label_are_left_out(tmp_path):
    made = world(tmp_path, WITHOUT_TARGET_WINDOWS)
    half = labels_of(6).head(30)
    made.land_at(f"labels/{day(8)}/labels.parquet", half)
    made.run(list(landed_to_features(WITHOUT_TARGET_WINDOWS)), day(1), day(LAST))
    made.run(MODELS, day(LAST))
    assert made.stages().training.row(day(LAST))["rows"] == 3 * 60 + 30


@pytest.mark.slow
def test_a_day_without_label_files_is_no_fault_and_a_bad_label_is_quarantined(tmp_path):
    made = world(tmp_path)
    made.land_at(
        f"labels/{day(5)}/bad.csv",
        b"id,fraud,confirmed\n1,7,2025-01-05\n2,1,not a time\n3,0,2025-01-05\n4,1,2025-01-05\n4,0,2025-01-05\n",
    )
    result = made.run(["raw_labels", "validated_labels", "quarantined_labels"], day(1), day(LAST))
    quarantined = made.stages().label_validation.quarantined.read([day(5)]).to_pylist()
    assert [entry["reasons"] for entry in quarantined] == [
        ["label: not one of 0, 1"],
        ["known_at: cannot be read"],
        *[["row_key id, known_at: stands in rows that differ"]] * 2,
    ]
    assert check(result, "every_day_accepted").passed
    assert made.run(["raw_labels"], day(2)).success


@pytest.mark.slow
def test_a_model_is_not_made_without_label_files_that_have_landed(tmp_path):
    made = world(tmp_path)
    made.land_at(f"labels/{day(LAST + 1)}/labels.parquet", labels_of(LAST - 1))
    made.land(day(LAST + 1), rows_of(day(LAST + 1)).drop(columns="label"))
    made.run(["raw_data", "validated_data", "quarantined_data"], day(LAST + 1))
    said = failure(made.run(MODELS, day(LAST + 1), succeed=False))
    assert f"the trained_model of {day(LAST + 1)} reads validated_labels" in said
    assert f"the first {day(LAST + 1)}" in said


def test_the_passport_names_label_files_and_what_they_said(followed):
    import json

    row = followed.stages().training.row(day(LAST))
    provenance = json.loads(followed.lake.files.read(f"{row['artifacts']}/passport.json"))
    assert {entry["key"] for entry in provenance["landed_objects"]} >= {
        f"labels/{day(10)}/labels.parquet",
        f"{day(8)}/rows.parquet",
    }
    assert set(provenance["days"]["labels"]) == {str(day(number)) for number in range(5, 9)}
    assert set(provenance["days"]["validated_labels"]) == {str(day(1) + timedelta(days=n)) for n in range(LAST)}


@pytest.mark.slow
def test_labels_of_their_own_that_come_in_time_give_the_same_model_as_labels_in_the_rows(tmp_path):
    plain = ModelSpec.model_validate({**SMALL, "features": [*SMALL["features"], TARGET_WINDOW]})
    together, apart = World(tmp_path / "together", plain), World(tmp_path / "apart", SPEC)
    for made in (together, apart):
        made.root.mkdir()
        for number in range(1, LAST + 1):
            made.land(
                day(number), rows_of(day(number)) if made is together else rows_of(day(number)).drop(columns="label")
            )
            if made is apart:
                # The label delay is two days: on the day before that its features can see the labels.
                made.land_at(
                    f"labels/{day(number + 1)}/labels.parquet",
                    labels_of(number).assign(confirmed=pd.Timestamp(day(number + 1), tz="UTC")),
                )
        made.run(list(landed_to_features(made.spec)), day(1), day(LAST))
        made.run(MODELS, day(LAST))
    digests = [made.stages().training.row(day(LAST))["model_digest"] for made in (together, apart)]
    assert digests[0] == digests[1]
    metrics = [made.stages().evaluation.overall(day(LAST)) for made in (together, apart)]
    pd.testing.assert_frame_equal(*metrics)


@pytest.mark.slow
def test_labels_can_be_moved_to_files_of_their_own_where_models_have_been_made(tmp_path):
    columns = {**SMALL["columns"], "number": {"type": "integer"}}
    before = ModelSpec.model_validate(
        {**SMALL, "columns": columns, "row_key": ["id"], "features": [*SMALL["features"], TARGET_WINDOW]}
    )
    made = World(tmp_path, before)
    for number in range(1, LAST + 1):
        rows = rows_of(day(number))
        made.land(day(number), rows.assign(number=rows["id"]))
        made.land_at(f"labels/{day(number)}/labels.parquet", labels_of(number).rename(columns={"id": "number"}))
    made.run(list(LANDED_TO_FEATURES), day(1), day(LAST))
    made.run(MODELS, day(LAST))
    # The features that were made have no column of the new key.
    made.spec = ModelSpec.model_validate({**before.model_dump(mode="json"), "labels": {**LABELS, "key": ["number"]}})
    result = made.run(list(landed_to_features(made.spec)), day(1), day(LAST))
    assert computed(result, "features") == [day(number) for number in range(1, LAST + 1)]
    made.run(MODELS, day(LAST))
