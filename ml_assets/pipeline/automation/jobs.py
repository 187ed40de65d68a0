"""The jobs of a model: all assets of a day, the assets that follow landed files, and the release assets."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import all_assets, asset_key, landed_to_features, release_assets
from ml_assets.pipeline.automation.freshness import newest_day_check
from ml_assets.pipeline.graph.freshness_policy import freshness_policy
from ml_assets.pipeline.steps.step_config import run_tags

if TYPE_CHECKING:
    from ml_assets.resources.dagster_internals.asset_jobs import UnresolvedAssetJobDefinition


def daily_job(spec: ModelSpec) -> "UnresolvedAssetJobDefinition":
    """Build the job of all assets of the model, for one day or the days of a backfill."""
    return dg.define_asset_job(
        f"{spec.name}_daily",
        selection=_without_freshness_check(spec, dg.AssetSelection.assets(*_keys(spec, all_assets(spec)))),
        description=f"Every stage of {spec.name}, from landed files to predictions.",
        tags=run_tags(spec),
    )


def release_job(spec: ModelSpec) -> "UnresolvedAssetJobDefinition":
    """Build the job that decides on the release and scores the rows of a day, without a new model."""
    return dg.define_asset_job(
        f"{spec.name}_live",
        selection=_without_freshness_check(spec, dg.AssetSelection.assets(*_keys(spec, release_assets(spec)))),
        description=f"Decides on the release of {spec.name}, and scores the rows of a day, whose features have "
        "to be there.",
        tags=run_tags(spec),
    )


def features_job(spec: ModelSpec) -> "UnresolvedAssetJobDefinition":
    """Build the job from landed files to features, for the days that changed files affect."""
    return dg.define_asset_job(
        f"{spec.name}_features",
        selection=_without_freshness_check(spec, dg.AssetSelection.assets(*_keys(spec, landed_to_features(spec)))),
        description=f"The stages of {spec.name} that follow landed files: raw data to features.",
        tags=run_tags(spec),
    )


def _keys(spec: ModelSpec, names: Sequence[str]) -> list[dg.AssetKey]:
    """Build the keys of assets of the model. A selection by prefix would include assets of others in its folder."""
    return [asset_key(spec, name) for name in names]


def _without_freshness_check(spec: ModelSpec, selection: dg.AssetSelection) -> dg.AssetSelection:
    """Return the selection without the freshness check, which does not depend on the days of a run."""
    return selection - dg.AssetSelection.checks(newest_day_check(spec)) if freshness_policy(spec) else selection
