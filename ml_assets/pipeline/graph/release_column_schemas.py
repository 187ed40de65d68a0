"""Column schemas of deployment and predictions, for the asset catalog."""

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.columns import DEPLOYMENT, scored_columns
from ml_assets.pipeline.graph.column_schemas import source_columns, table_columns


def deployment_columns() -> list[dg.TableColumn]:
    """Describe the columns of deployment."""
    return table_columns(DEPLOYMENT)


def predictions_columns(spec: ModelSpec) -> list[dg.TableColumn]:
    """Describe the columns of predictions: identity columns, version, prediction and decision."""
    return [*source_columns(spec, spec.row_identity_columns()), *table_columns(scored_columns(spec.outputs))]
