"""MLflow runs of models that failed a gate: one run for each digest and day, with metrics and plots. Such a model is
never registered.
"""

from typing import TYPE_CHECKING

from ml_assets.resources.mlflow.connection import quiet_mlflow
from ml_assets.resources.mlflow.experiments import find_experiment
from ml_assets.resources.mlflow.model_format import log_evaluation
from ml_assets.resources.mlflow.model_record import ModelRecord
from ml_assets.resources.mlflow.run_log import FINISHED, RunLog
from ml_assets.resources.mlflow.tracking import TrackedRun

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def track_rejected_model(client: "MlflowClient", run: TrackedRun, record: ModelRecord) -> str:
    """Return the ID of the run of a model that failed a gate, nested in the run of the Dagster run if it is new.

    An existing run gets the tags and metrics that changed (other bounds, a repaired label), and is completed if the
    process that created it died before it was done.

    Args:
        client: MLflow's client of the store that tracks runs.
        run: the MLflow run of the Dagster run; used only if the model has no run yet.
        record: the model, with the tag `gates`: failed.

    Raises:
        MlflowUnavailable: when MLflow cannot be reached.
    """
    with quiet_mlflow():
        existing = _find_run(client, record)
        if existing is None:
            with run.nested(f"{record.name} {record.day}", record.all_tags()) as run_log:
                log_evaluation(run_log, record)
            return run_log.run_id
        run_id = existing.info.run_id
        for name, value in record.all_tags().items():
            if existing.data.tags.get(name) != value:
                client.set_tag(run_id, name, value)
        metrics = record.finite_metrics()
        has_changed = {name: existing.data.metrics.get(name) for name in metrics} != metrics
        if existing.info.status != FINISHED or has_changed:
            run_log = RunLog(client, run_id)
            log_evaluation(run_log, record)
            run_log.finish()
        return run_id


def _find_run(client: "MlflowClient", record: ModelRecord) -> "Run | None":
    """Return the oldest run of a rejected model with the digest and day of the record."""
    experiment = find_experiment(client, record.name)
    if experiment is None:
        return None
    tags = {**record.all_tags(), "gates": "failed"}
    query = " and ".join(f"tags.{name} = '{tags[name]}'" for name in ("gates", "model_digest", "day"))
    runs = client.search_runs([experiment.experiment_id], query, max_results=1, order_by=["attributes.start_time ASC"])
    return runs[0] if runs else None
