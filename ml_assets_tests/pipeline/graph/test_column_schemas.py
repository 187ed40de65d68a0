"""The catalog shows the columns that the tables have."""

import dagster as dg
import pytest

from ml_assets.core.tables import column_descriptions, release_schemas, schemas
from ml_assets.core.training.trials import PARAMETER_SEARCH
from ml_assets.pipeline.graph import column_schemas as columns


def names(table_columns: list[dg.TableColumn]) -> list[str]:
    return [column.name for column in table_columns]


def test_the_catalog_shows_the_columns_of_every_table(make_spec):
    spec = make_spec()
    assert names(columns.raw_columns(spec)) == schemas.raw_schema(spec).names
    assert names(columns.contract_columns(spec)) == schemas.row_schema(spec).names
    assert names(columns.feature_columns(spec)) == schemas.features_schema(spec).names
    assert names(columns.evaluation_columns(spec)) == schemas.evaluation_schema(spec).names


@pytest.mark.parametrize(
    ("schema", "descriptions"),
    [
        (schemas.PROVENANCE_SCHEMA, column_descriptions.PROVENANCE),
        (schemas.QUARANTINE_SCHEMA, column_descriptions.QUARANTINE),
        (PARAMETER_SEARCH, column_descriptions.PARAMETER_SEARCH),
        (schemas.TRAINED_MODEL_SCHEMA, column_descriptions.TRAINED_MODEL),
        (schemas.REGISTRY_ENTRY_SCHEMA, column_descriptions.REGISTRY_ENTRY),
        (release_schemas.DEPLOYMENT_SCHEMA, column_descriptions.DEPLOYMENT),
        (release_schemas.SCORED_ROW_SCHEMA, column_descriptions.PREDICTIONS),
    ],
)
def test_exactly_the_columns_of_the_schema_have_descriptions(schema, descriptions):
    assert list(descriptions) == schema.names
    assert [column.description for column in columns.table_columns(schema, descriptions)] == [*descriptions.values()]


def test_the_rules_of_a_column_are_its_constraints(make_spec):
    amount = {column.name: column for column in columns.contract_columns(make_spec())}["amount"]
    assert amount.constraints.other == ["minimum 0"]
    assert not amount.constraints.nullable


def test_the_lineage_of_a_feature_names_its_value_its_key_and_the_event_time(make_spec):
    lineage = columns.feature_lineage(make_spec(), dg.AssetKey(["small", "validated_data"]))
    assert {dep.column_name for dep in lineage.deps_by_column["amount_mean_by_card_1d"]} == {
        "card",
        "amount",
        "event_time",
    }
    assert [dep.column_name for dep in lineage.deps_by_column["amount"]] == ["amount"]
