"""Models that failed a gate in MLflow: one run for each digest and day, with figures and pictures, and no version of
the registry.
"""

from typing import TYPE_CHECKING

from ml_assets.resources.mlflow.connection import quiet_mlflow
from ml_assets.resources.mlflow.model_format import ModelRecord, log_figures
from ml_assets.resources.mlflow.tracking import FINISHED, TrackedRun

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def track_rejected_model(client: "MlflowClient", run: TrackedRun, record: ModelRecord) -> str:
    """The id of the run of a model that failed a gate; it is made, nested in the run of the Dagster run, when there is
    none.

    A run that is there is told what changed (other bounds, a repaired label), and is completed when the process that
    made it died on the way.

    Args:
        client: MLflow's client of the store that tracks runs.
        run: the MLflow run of the Dagster run; used only when there is no run of the model.
        record: the model, with the tag `gates`: failed.

    Raises:
        MlflowUnavailable: when MLflow cannot be reached.
    """
    with quiet_mlflow():
        found = _find(client, record)
        if found is None:
            with run.nested(f"{record.name} {record.day}", record.all_tags()) as run_id:
                log_figures(run.client, run_id, record)
            return run_id
        run_id = found.info.run_id
        for name, value in record.all_tags().items():
            if found.data.tags.get(name) != value:
                client.set_tag(run_id, name, value)
        figures = record.finite_metrics()
        differ = {name: found.data.metrics.get(name) for name in figures} != figures
        if found.info.status != FINISHED or differ:
            log_figures(client, run_id, record)
            client.set_terminated(run_id, FINISHED)
        return run_id


def _find(client: "MlflowClient", record: ModelRecord) -> "Run | None":
    """The first run of a failing model with the digest and day of the record."""
    experiment = client.get_experiment_by_name(record.name)
    if experiment is None:
        return None
    wanted = {**record.all_tags(), "gates": "failed"}
    asked = " and ".join(f"tags.{name} = '{wanted[name]}'" for name in ("gates", "model_digest", "day"))
    found = client.search_runs([experiment.experiment_id], asked, max_results=1, order_by=["attributes.start_time ASC"])
    return found[0] if found else None
