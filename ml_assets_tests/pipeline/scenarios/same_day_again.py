"""Materializes the newest day of a small model again in a process of its own, and prints the libraries it loaded.

python -m ml_assets_tests.pipeline.scenarios.same_day_again ROOT DAY SPEC
"""

import json
import sys

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.pipeline.steps.partition_tags import PARTITION
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.storage.landing import Landing


def main(root: str, day: str, spec: str) -> None:
    """Run all assets of a day and print whether the run succeeded, its outcomes and the top modules that are loaded."""
    uri = f"sqlite:///{root}/mlflow.db"
    result = dg.materialize(
        build_assets(ModelSpec.model_validate_json(spec)),
        tags={PARTITION: day},
        instance=dg.DagsterInstance.ephemeral(),
        resources={
            "lake": Lake(uri=f"{root}/lake"),
            "landing": Landing(uri=f"{root}/landing"),
            "registry": ModelRegistry(tracking_uri=uri),
            "tracking": ExperimentTracking(tracking_uri=uri),
            "deploy_target": DeployTarget(uri=f"{root}/production"),
        },
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
    )
    materializations = result.get_asset_materialization_events()
    outcomes = {event.materialization.metadata["outcome"].value for event in materializations}
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps([result.success, len(materializations), sorted(map(str, outcomes)), loaded]))


if __name__ == "__main__":
    main(*sys.argv[1:])
