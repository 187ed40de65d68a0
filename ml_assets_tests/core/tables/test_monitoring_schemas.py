"""Schemas of served requests and of the quality of predictions."""

import pyarrow as pa

from ml_assets.core.tables.monitoring_schemas import PREDICTION_QUALITY_SCHEMA


def test_estimated_and_realised_metrics_have_the_day_of_their_predictions():
    types = {field.name: field.type for field in PREDICTION_QUALITY_SCHEMA}
    assert types["predicted_on"] == pa.date32()
    assert {types[name] for name in ("value", "low", "high", "holdout_value", "positives")} == {pa.float64()}
