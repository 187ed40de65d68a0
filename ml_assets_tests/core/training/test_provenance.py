"""Provenance names everything that a model was trained from, and is the same for the same model."""

import json
from datetime import date

import pytest

from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.core.training.provenance import build_provenance, changed_days, days_named
from ml_assets.core.training.time_split import split_days
from ml_assets.core.training.train import TrainedModel

DAY = date(2025, 1, 20)
MODEL = TrainedModel(
    b"model", b"{}", 7, 0.5, "best F1", {"f1": 0.5, "precision": float("nan")}, {"logloss": [0.1]}, 100, 9, 30, "cpu"
)
OBJECTS = [{"day": date(2025, 1, 11), "key": "a.csv", "digest": "d", "size": 3}]


def provenance(spec) -> bytes:
    split = split_days(spec, DAY)
    return build_provenance(
        spec, DAY, split, MODEL, OBJECTS, {"features": {split.fit[0]: 255}}, {"features": "v1"}, spec, None, {}
    )


def test_provenance_has_inputs_settings_and_results(make_spec):
    result = json.loads(provenance(make_spec()))
    assert result["digest"] == MODEL.digest
    assert result["landed_objects"] == [{"day": "2025-01-11", "key": "a.csv", "digest": "d", "size": 3}]
    assert result["days"] == {"features": {"2025-01-11": "00000000000000ff"}}
    assert result["holdout"] == ["2025-01-17", "2025-01-18"]
    assert result["spec"]["label_delay"] == "2d"
    assert result["code_versions"] == {"features": "v1"}
    assert result["library_versions"]["xgboost"]
    assert result["threshold"] == {"value": 0.5, "note": "best F1"}


def test_an_undefined_metric_is_null_because_json_has_no_nan(make_spec):
    assert json.loads(provenance(make_spec()))["metrics"]["validation"] == {"f1": 0.5, "precision": None}


def test_the_same_model_has_the_same_provenance(make_spec):
    assert provenance(make_spec()) == provenance(make_spec())


def test_the_days_that_a_provenance_document_names_are_read_back(make_spec):
    raw = {date(2025, 1, 10): 7, date(2025, 1, 11): 8, date(2025, 1, 12): EXPIRED}
    spec = make_spec()
    content = build_provenance(
        spec,
        DAY,
        split_days(spec, DAY),
        MODEL,
        OBJECTS,
        {"raw_data": raw, "features": {date(2025, 1, 11): 255}},
        {},
        spec,
        None,
        {},
    )
    assert days_named(content) == {
        "raw_data": {date(2025, 1, 10): 7, date(2025, 1, 11): 8},
        "features": {date(2025, 1, 11): 255},
        # The other days have no objects.
        "landed_objects": {date(2025, 1, 11): 8},
    }


def test_days_with_files_of_rows_and_of_labels_are_told_apart():
    days = {"2025-01-10": "7", "2025-01-11": "8", "2025-01-12": "9"}
    document = {
        "spec": {"labels": {"files": "labels/{day}/*.parquet"}},
        "days": {"raw_data": days, "raw_labels": days},
        "landed_objects": [
            {"day": "2025-01-10", "key": "rows/2025-01-10/a.parquet"},
            {"day": "2025-01-11", "key": "rows/2025-01-11/a.parquet"},
            {"day": "2025-01-12", "key": "labels/2025-01-12/a.parquet"},
        ],
    }
    named = days_named(json.dumps(document).encode())
    assert named["landed_objects"] == {date(2025, 1, 10): 7, date(2025, 1, 11): 8}
    assert named["landed_label_objects"] == {date(2025, 1, 12): 9}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"days": 1, "landed_objects": []}',
        b'{"days": {"raw_data": {"x": "7"}}, "landed_objects": []}',
    ],
)
def test_a_document_that_is_no_provenance_is_refused(content):
    with pytest.raises(ValueError, match="not the provenance of a model"):
        days_named(content)


def test_days_with_another_fingerprint_new_ones_and_those_that_are_gone_are_changed():
    then = {"features": {"2025-01-01": "000000000000000a", "2025-01-02": "000000000000000b"}}
    now = {"features": {date(2025, 1, 1): 10, date(2025, 1, 2): 12, date(2025, 1, 3): 13}}
    assert changed_days(then, now) == ["2025-01-02", "2025-01-03"]
    assert changed_days(then, {"features": {date(2025, 1, 1): 10}}) == ["2025-01-02"]
