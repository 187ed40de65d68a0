"""The jobs of a model: everything for a day, and what has to follow landed files."""

from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.assets import asset_key, landed_to_features

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


def daily_job(spec: ModelSpec) -> "UnresolvedAssetJobDefinition":
    """All assets of the model for one day, or for the days of a backfill."""
    return dg.define_asset_job(
        f"{spec.name}_daily",
        selection=dg.AssetSelection.key_prefixes([spec.name]),
        description=f"Every stage of {spec.name}, from landed files to the registry entry.",
        tags={"model": spec.name},
    )


def features_job(spec: ModelSpec) -> "UnresolvedAssetJobDefinition":
    """From landed files to features, for the days that changed files can be seen on."""
    return dg.define_asset_job(
        f"{spec.name}_features",
        selection=dg.AssetSelection.assets(*[asset_key(spec, name) for name in landed_to_features(spec)]),
        description=f"The stages of {spec.name} that follow landed files: raw data to features.",
        tags={"model": spec.name},
    )
