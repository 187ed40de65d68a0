"""Arrow schemas of what is observed in production: served requests, and the quality of predictions."""

from ml_assets.core.tables.columns import PREDICTION_QUALITY
from ml_assets.core.tables.schemas import arrow_schema

PREDICTION_QUALITY_SCHEMA = arrow_schema(PREDICTION_QUALITY)
"""One row for each kind, side and metric. The partition of a day has the estimated metrics of the predictions of that
day, and the realised metrics of the newest earlier day whose labels are known on it: `predicted_on` joins both."""
