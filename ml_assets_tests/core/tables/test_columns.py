"""Columns of the catalog have a description that is a phrase, and the Arrow schemas have their names and types."""

import pyarrow as pa
import pytest

from ml_assets.core.model_spec.types.task import Outputs
from ml_assets.core.tables import columns
from ml_assets.core.tables.release_schemas import DEPLOYMENT_SCHEMA
from ml_assets.core.tables.schemas import PROVENANCE_SCHEMA, QUARANTINE_SCHEMA, TRAINED_MODEL_SCHEMA

TABLES = {name: table for name, table in vars(columns).items() if isinstance(table, tuple) and name.isupper()}


@pytest.mark.parametrize("table", TABLES)
def test_every_description_is_a_phrase_without_a_full_stop(table):
    assert all(column.description and not column.description.endswith(".") for column in TABLES[table])


@pytest.mark.parametrize("table", TABLES)
def test_no_column_stands_twice(table):
    names = [column.name for column in TABLES[table]]
    assert len(names) == len(set(names))


def test_arrow_schemas_are_built_from_the_columns():
    assert PROVENANCE_SCHEMA.names == ["_source_file", "_source_row", "_unreadable_values"]
    assert QUARANTINE_SCHEMA.field("reasons").type == pa.list_(pa.string())
    assert TRAINED_MODEL_SCHEMA.field("fit_first").type == pa.date32()
    assert TRAINED_MODEL_SCHEMA.field("threshold").type == pa.float64()
    assert DEPLOYMENT_SCHEMA.field("paused").type == pa.bool_()
    assert DEPLOYMENT_SCHEMA.field("release").type == pa.int64()


def test_predictions_of_each_task_have_descriptions():
    quantiles = columns.scored_columns(Outputs("regression", quantiles=(0.05, 0.5)))
    assert [column.name for column in quantiles] == [
        "prediction",
        "prediction_q05",
        "prediction_q50",
        "model_version",
        "side",
        "reasons",
        "shadow_prediction",
    ]
    classes = columns.evaluation_columns(Outputs("multiclass", ("a", "b")))
    assert [column.name for column in classes] == ["event_day", "predicted_class", "probability_a", "probability_b"]
    assert all(column.description for column in (*quantiles, *classes))
