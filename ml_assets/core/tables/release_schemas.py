"""Arrow schemas of the release ledger and of the tables of stages deployment and predictions."""

import pyarrow as pa

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.columns import DEPLOYMENT, scored_columns
from ml_assets.core.tables.schemas import arrow_schema, arrow_type

LEDGER_ROWS_SCHEMA = pa.schema(
    [
        ("release", pa.int64()),
        ("at", pa.timestamp("us", "UTC")),
        ("day", pa.date32()),
        ("actor", pa.string()),
        ("action", pa.string()),
        ("alias", pa.string()),
        ("from_version", pa.int64()),
        ("from_digest", pa.string()),
        ("to_version", pa.int64()),
        ("to_digest", pa.string()),
        ("to_day", pa.date32()),
        ("percent", pa.int64()),
        ("paused", pa.bool_()),
        ("reason", pa.string()),
        ("metrics", pa.string()),
    ]
)
"""One row for each alias that a release moves; a release that moves none has one row with equal versions.

release: counts up from 1. at: time of the row. day: first day of predictions that the release affects. actor: run or
person. to_day: the day of the model. percent: share of the entities for the challenger after the release. metrics: the
metrics behind it, as JSON."""

DEPLOYMENT_SCHEMA = arrow_schema(DEPLOYMENT)
"""One row for each day: the decision, its reason, and the release state after release number `release`. step_days,
step_rows, positives, labels_through and metrics (JSON by name) are the evidence, see `canary_policy.Evidence`; null
without a canary."""

CANARY_COMPARISON_SCHEMA = pa.schema(
    [
        ("scope", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("champion_value", pa.float64()),
        ("difference", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("rows", pa.int64()),
    ]
)
"""The comparison of champion and challenger as of a day, see `canary_comparison.Measured`."""


def predictions_schema(spec: ModelSpec) -> pa.Schema:
    """Return the schema of the scored rows of a day: identity columns that are known with the row, the predictions of
    its task, and the model that made them. side: `champion` or `challenger`. reasons: JSON, for the highest scores of a
    day.
    """
    identity = [(name, arrow_type(spec.columns[name].type)) for name in spec.row_identity_columns()]
    return pa.schema([*identity, *arrow_schema(scored_columns(spec.outputs))])
