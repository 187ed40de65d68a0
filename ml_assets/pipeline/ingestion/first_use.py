"""A project before its first files: no landing directory yet, and no day in the lake."""

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing


def why_unused(spec: ModelSpec, lake: Lake, landing: Landing) -> str | None:
    """Return why a tick has nothing to do before the first files have landed; None if it has to scan the landing.

    A missing directory is not a first use if the lake holds days of the model; then listing it fails.
    """
    missing = landing.missing_root()
    if missing is None or any(
        lake.exists(spec.name, feed.raw) for feed in (rows_feed(spec), labels_feed(spec)) if feed is not None
    ):
        return None
    return (
        f"{spec.name}: nothing has landed yet, and the lake holds no day of it: {missing}. Put the first files there, "
        "or correct ML_ASSETS_LANDING"
    )
