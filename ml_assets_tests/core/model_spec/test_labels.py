"""Labels in files of their own must belong to rows."""

import re

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import change

LABELS = {"files": "labels/{day}/*", "key": ["id"]}


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({**LABELS, "files": "labels.csv"}, "must contain {day}"),
        ({**LABELS, "key": []}, "at least 1 item"),
        ({**LABELS, "key": ["nobody"]}, "labels.key: there is no column nobody; the columns are id, event_time"),
        ({**LABELS, "key": ["id", "id"]}, "labels.key: named more than once: id"),
        ({**LABELS, "key": ["label"]}, "labels.key: label is the target"),
        ({**LABELS, "key": ["note"]}, "labels.key: note is nullable"),
        (
            {**LABELS, "label": "id"},
            "its own source in the label files; used more than once: id",
        ),
        (
            {**LABELS, "label": "known_at"},
            "its own source in the label files; used more than once: known_at",
        ),
        ({**LABELS, "unlabelled": "positive"}, "'exclude' or 'negative'"),
    ],
)
def test_labels_that_cannot_belong_to_rows_are_refused(small, labels, reason):
    attributes = change(small, "columns.note", {"type": "string", "nullable": True})
    with pytest.raises(ValidationError, match=re.escape(reason)):
        ModelSpec.model_validate({**attributes, "labels": labels})


def test_the_column_name_known_at_is_reserved_for_labels(small):
    attributes = change(small, "columns.known_at", {"type": "timestamp"})
    with pytest.raises(ValidationError, match=r"columns.known_at: the table of labels needs this name"):
        ModelSpec.model_validate({**attributes, "labels": LABELS})
