"""The tables whose old days retention removes, each with the table that decides which days are needed."""

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.pipeline.asset_names import (
    COLUMN_PROFILES,
    FEATURE_METRICS,
    FEATURE_PROFILES,
    FEATURES,
    PREDICTIONS,
    SERVED_REQUESTS,
    VALIDATED,
)


def day_tables(spec: ModelSpec) -> dict[str, str]:
    """Return the tables whose old days are removed, each with the table under which provenance records its days.

    Downstream tables come first, and the main table of a stage before its side tables, so that a day whose removal was
    interrupted never counts as present.
    """
    # Provenance never refers to served requests, so it keeps none of them.
    served = {SERVED_REQUESTS: SERVED_REQUESTS} if spec.deployment.capture else {}
    tables: dict[str, str] = served | dict.fromkeys(
        (PREDICTIONS, FEATURES, FEATURE_PROFILES, FEATURE_METRICS), FEATURES
    )
    for feed in (rows_feed(spec), labels_feed(spec)):
        if feed is not None:
            profiles = [COLUMN_PROFILES] if feed.validated == VALIDATED else []
            tables |= dict.fromkeys((feed.validated, feed.quarantined, feed.violations, *profiles), feed.validated)
            tables |= {feed.raw: feed.raw, feed.objects: feed.raw}
    return tables
