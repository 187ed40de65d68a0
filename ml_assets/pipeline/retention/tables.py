"""The tables whose old days are removed by retention, with what says which of their days are needed."""

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.pipeline.asset_names import (
    COLUMN_PROFILES,
    FEATURE_METRICS,
    FEATURE_PROFILES,
    FEATURES,
    PREDICTIONS,
    VALIDATED,
)


def day_tables(spec: ModelSpec) -> dict[str, str]:
    """The tables whose old days are removed, each with the table whose days in passports are its days.

    What is made from something goes before it, and the main table of a stage before the side table, so that a day whose
    removal was interrupted is never taken for one that is there.
    """
    tables: dict[str, str] = dict.fromkeys((PREDICTIONS, FEATURES, FEATURE_PROFILES, FEATURE_METRICS), FEATURES)
    for feed in (rows_feed(spec), labels_feed(spec)):
        if feed is not None:
            profiles = [COLUMN_PROFILES] if feed.validated == VALIDATED else []
            tables |= dict.fromkeys((feed.validated, feed.quarantined, feed.violations, *profiles), feed.validated)
            tables |= {feed.raw: feed.raw, feed.objects: feed.raw}
    return tables
