"""Schemas of served requests and of the quality of predictions."""

import pyarrow as pa

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.monitoring_schemas import PREDICTION_QUALITY_SCHEMA, served_requests_schema
from ml_assets_tests.conftest import SMALL


def test_estimated_and_realised_metrics_have_the_day_of_their_predictions():
    types = {field.name: field.type for field in PREDICTION_QUALITY_SCHEMA}
    assert types["predicted_on"] == pa.date32()
    assert {types[name] for name in ("value", "low", "high", "holdout_value", "positives")} == {pa.float64()}


def test_served_requests_have_the_columns_that_are_kept_and_hashed_ones_as_text():
    capture = {"hashed": ["customer"], "leave_out": ["amount_mean_by_card_1d"]}
    columns = {**SMALL["columns"], "customer": {"type": "integer"}}
    spec = ModelSpec.model_validate(
        {**SMALL, "columns": columns, "entity": "customer", "deployment": {"capture": capture}}
    )
    schema = served_requests_schema(spec)
    kept = ["id", "event_time", "customer", "amount", "count_by_card_1d"]
    answer = ["score", "decision", "model_version", "side", "features_through"]
    assert schema.names == ["request_id", "served_at", "not_kept", "segment", *kept, *answer]
    assert (schema.field("customer").type, schema.field("id").type) == (pa.string(), pa.int64())
