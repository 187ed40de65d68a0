"""Arrow schemas of monitoring in production: served requests, prediction quality, and costs."""

import pyarrow as pa

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.deployment import Capture
from ml_assets.core.tables.columns import PREDICTION_QUALITY, SERVED_REQUEST, STAGE_COST, served_columns
from ml_assets.core.tables.schemas import arrow_schema, arrow_type

PREDICTION_QUALITY_SCHEMA = arrow_schema(PREDICTION_QUALITY)
"""One row for each kind, side and metric. The partition of a day has the estimated metrics of that day's predictions,
and the realised metrics of the newest earlier day whose labels are known by then: `predicted_on` joins both."""

STAGE_COST_SCHEMA = arrow_schema(STAGE_COST)
"""One row for each day that a step computed; unchanged days have none."""


def captured_names(spec: ModelSpec) -> tuple[list[str], list[str]]:
    """Return the names of the columns, and of the features that are not columns, that served requests keep."""
    capture = spec.deployment.capture or Capture()
    columns = [name for name in spec.request_columns() if name not in capture.leave_out]
    skipped = {*spec.request_columns(), *capture.leave_out}
    return columns, [name for name in spec.feature_names() if name not in skipped]


def served_requests_schema(spec: ModelSpec) -> pa.Schema:
    """Return the schema of served_requests: ID and time of the request, the columns and features that are kept, and the
    answer. Hashed columns are text.
    """
    capture = spec.deployment.capture or Capture()
    columns, features = captured_names(spec)
    texts = {*spec.categorical_features(), *capture.hashed}
    fields = [
        (name, pa.string() if name in capture.hashed else arrow_type(spec.columns[name].type)) for name in columns
    ]
    fields += [(name, pa.string() if name in texts else pa.float64()) for name in features]
    return pa.schema([*arrow_schema(SERVED_REQUEST), *pa.schema(fields), *arrow_schema(served_columns(spec.outputs))])
