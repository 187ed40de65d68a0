"""The catalog shows the columns that the tables have."""

import dagster as dg

from ml_assets.core.tables import columns, schemas
from ml_assets.pipeline.graph import column_schemas


def names(table_columns: list[dg.TableColumn]) -> list[str]:
    return [column.name for column in table_columns]


def test_the_catalog_shows_the_columns_of_every_table(make_spec):
    spec = make_spec()
    assert names(column_schemas.raw_columns(spec)) == schemas.raw_schema(spec).names
    assert names(column_schemas.contract_columns(spec)) == schemas.row_schema(spec).names
    assert names(column_schemas.feature_columns(spec)) == schemas.features_schema(spec).names
    assert names(column_schemas.scored_holdout_columns(spec)) == schemas.evaluation_schema(spec).names


def test_the_catalog_shows_name_type_and_description():
    shown = column_schemas.table_columns(columns.QUARANTINE)
    assert [(column.name, column.type, column.description) for column in shown] == [*columns.QUARANTINE]


def test_the_rules_of_a_column_are_its_constraints(make_spec):
    amount = {column.name: column for column in column_schemas.contract_columns(make_spec())}["amount"]
    assert amount.constraints.other == ["minimum 0"]
    assert not amount.constraints.nullable


def test_the_lineage_of_a_feature_names_its_value_its_key_and_the_event_time(make_spec):
    lineage = column_schemas.feature_lineage(make_spec(), dg.AssetKey(["small", "validated_data"]))
    assert {dep.column_name for dep in lineage.deps_by_column["amount_mean_by_card_1d"]} == {
        "card",
        "amount",
        "event_time",
    }
    assert [dep.column_name for dep in lineage.deps_by_column["amount"]] == ["amount"]


def test_scores_come_from_all_features_and_a_target_that_lands_by_itself_from_the_labels(make_spec):
    spec = make_spec()
    origins = column_schemas.scored_lineage(spec, spec.identity_columns()).deps_by_column
    assert {dep.column_name for dep in origins["score"]} == {*spec.feature_names()}
    assert [dep.asset_key.path[-1] for dep in origins[spec.target]] == ["features"]
    assert {*origins} <= {*schemas.evaluation_schema(spec).names}
    landed = make_spec(labels={"files": "labels/{day}.csv", "key": ["id"]})
    origins = column_schemas.scored_lineage(landed, landed.identity_columns()).deps_by_column
    assert [dep.asset_key.path[-1] for dep in origins[landed.target]] == ["validated_labels"]
