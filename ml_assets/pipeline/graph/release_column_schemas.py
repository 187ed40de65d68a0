"""Column schemas and lineage of deployment and predictions, for the asset catalog."""

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.graph.column_schemas import source_columns

_DEPLOYMENT = [
    dg.TableColumn("outcome", "string", description="start, advance, promote, rollback, replace, hold or none"),
    dg.TableColumn("reason", "string", description="Why, in one sentence"),
    dg.TableColumn(
        "champion_version", "integer", description="MLflow version that is live for everybody else, afterwards"
    ),
    dg.TableColumn("challenger_version", "integer", description="MLflow version on canary, afterwards"),
    dg.TableColumn(
        "percent", "integer", description="Share of the entities that the challenger is live for, afterwards"
    ),
    dg.TableColumn("paused", "boolean", description="Whether automatic decisions are paused"),
    dg.TableColumn("step_since", "date", description="First day of the present step"),
    dg.TableColumn("canary_since", "date", description="First day of the canary"),
    dg.TableColumn("release", "integer", description="Number of the last release in the ledger"),
    dg.TableColumn("step_days", "integer", description="Days of the step with known labels"),
    dg.TableColumn("step_rows", "integer", description="Labelled rows of the challenger's entities on them"),
    dg.TableColumn("positives", "integer", description="Positives among the labelled rows since the canary began"),
    dg.TableColumn("labels_through", "date", description="Last day whose labels were known"),
    dg.TableColumn("metrics", "string", description="Figures that the decision rests on, as JSON"),
]
_PREDICTIONS = [
    dg.TableColumn("score", "number", description="Score from 0 to 1"),
    dg.TableColumn(
        "decision", "boolean", description="Whether the score reaches the threshold of the model that gave it"
    ),
    dg.TableColumn("model_version", "integer", description="MLflow version of that model"),
    dg.TableColumn("side", "string", description="champion or challenger"),
    dg.TableColumn(
        "reasons", "string", description="For the highest scores of the day, the features that add most, as JSON"
    ),
]


def deployment_columns() -> list[dg.TableColumn]:
    """The columns of deployment."""
    return list(_DEPLOYMENT)


def predictions_columns(spec: ModelSpec) -> list[dg.TableColumn]:
    """The columns of predictions: identity columns and what was made of the row."""
    return [*source_columns(spec, spec.row_identity_columns()), *_PREDICTIONS]


def predictions_lineage(spec: ModelSpec, features: dg.AssetKey) -> dg.TableColumnLineage:
    """Identity columns as in the features; the score is made of all features."""
    same = {name: [dg.TableColumnDep(features, name)] for name in spec.row_identity_columns()}
    return dg.TableColumnLineage(
        {**same, "score": [dg.TableColumnDep(features, name) for name in spec.feature_names()]}
    )
