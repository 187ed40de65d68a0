"""The resource of dagster-mlflow, created without Dagster's resource initialization.

Reason: `dagster_mlflow.mlflow_tracking` opens an MLflow run for every step, even one that logs nothing, and takes its
experiment from the run config. Here the resource is created when a step first logs something.
Public API that would replace it: a constructor of `dagster_mlflow.resources.MlFlow` that takes a tracking URI, an
experiment and a Dagster run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dagster as dg
    from dagster_mlflow.resources import MlFlow


@dataclass(frozen=True)
class _ResourceContext:
    """The attributes that dagster-mlflow reads from Dagster's resource initialization context."""

    log: Any
    run_id: str
    dagster_run: Any
    resource_config: Mapping[str, object]


def create_resource(context: "dg.AssetExecutionContext", tracking_uri: str, experiment: str) -> "MlFlow":
    """Create the resource, and with it the MLflow run of the Dagster run, which becomes MLflow's active run."""
    from dagster_mlflow.resources import MlFlow

    config = {"experiment_name": experiment, "mlflow_tracking_uri": tracking_uri, "env": {}, "extra_tags": {}}
    return MlFlow(_ResourceContext(context.log, context.run.run_id, context.run, config))
