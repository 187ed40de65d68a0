"""The nearest field belongs to the part of the specification that the unknown one is in."""

import pytest

from ml_assets.core.model_spec.defs_yaml.field_names import nearest_field


@pytest.mark.parametrize(
    ("location", "nearest"),
    [
        (["labels_delay"], "label_delay"),
        (["training", "windw"], "window"),
        (["columns", "amount", "minimun"], "minimum"),
        (["features", 1, "window", "agregates"], "aggregates"),
        (["labels", "file"], "files"),
        (["deployment", "canary", "Steps"], "steps"),
        (["compute", "memory", "base"], "base"),
        (["gates", "roc_auc", "x"], None),
        (["training", "holdout"], None),
    ],
)
def test_the_nearest_field_of_the_same_part_is_returned(location, nearest):
    assert nearest_field(location) == nearest
