"""Feeds of rows and of labels hold the columns that each needs."""

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed


def test_feeds_of_rows_and_labels_hold_the_columns_that_each_needs(small):
    spec = ModelSpec.model_validate(
        {**small, "labels": {"files": "labels/{day}/*", "key": ["id"], "label": "fraud", "known_at": "confirmed"}}
    )
    rows, labels = rows_feed(spec), labels_feed(spec)
    assert list(rows.columns) == ["id", "event_time", "card", "amount"]
    assert labels is not None
    assert {name: column.source for name, column in labels.columns.items()} == {
        "id": None,
        "label": "fraud",
        "known_at": "confirmed",
    }
    assert (labels.row_key, labels.event_time, labels.source.files) == (["id", "known_at"], None, "labels/{day}/*")


def test_without_label_files_the_rows_hold_the_target(small):
    spec = ModelSpec.model_validate(small)
    assert labels_feed(spec) is None
    assert "label" in rows_feed(spec).columns
