"""The schemas of deployment and predictions have the columns of their rows."""

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.canary_comparison import COLUMNS as COMPARED
from ml_assets.core.tables.release_schemas import CANARY_COMPARISON_SCHEMA, predictions_schema
from ml_assets_tests.conftest import SMALL

COLUMNS = ["score", "decision", "model_version", "side", "reasons", "shadow_score"]


def test_predictions_have_the_identity_columns_that_are_known_with_the_row(small):
    names = predictions_schema(ModelSpec.model_validate(SMALL)).names
    assert names == ["id", "event_time", "card", "label", *COLUMNS]
    labels = {"files": "labels/{day}/*", "key": ["id"], "known_at": "event_time"}
    assert predictions_schema(ModelSpec.model_validate({**SMALL, "labels": labels})).names == [
        "id",
        "event_time",
        "card",
        *COLUMNS,
    ]


def test_the_comparison_has_its_columns():
    assert CANARY_COMPARISON_SCHEMA.names == COMPARED
