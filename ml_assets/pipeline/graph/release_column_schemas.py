"""Column schemas and lineage of deployment and predictions, for the asset catalog."""

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import DECISION
from ml_assets.core.tables.columns import DEPLOYMENT, scored_columns
from ml_assets.pipeline.graph.column_schemas import source_columns, table_columns


def deployment_columns() -> list[dg.TableColumn]:
    """Describe the columns of deployment."""
    return table_columns(DEPLOYMENT)


def predictions_columns(spec: ModelSpec) -> list[dg.TableColumn]:
    """Describe the columns of predictions: identity columns, and what was made of the row."""
    return [*source_columns(spec, spec.row_identity_columns()), *table_columns(scored_columns(spec.outputs))]


def predictions_lineage(spec: ModelSpec, features: dg.AssetKey) -> dg.TableColumnLineage:
    """Return the lineage of predictions: identity columns come from features, what a model predicts from all of
    them.
    """
    identity = {name: [dg.TableColumnDep(features, name)] for name in spec.row_identity_columns()}
    sources = [dg.TableColumnDep(features, name) for name in spec.feature_names()]
    names = [name for name in spec.outputs.columns if name != DECISION]
    return dg.TableColumnLineage({**identity, **dict.fromkeys(names, sources)})
