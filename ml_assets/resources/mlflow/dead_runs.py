"""MLflow runs left running by a dead process, ended as KILLED."""

import logging
from typing import TYPE_CHECKING

from ml_assets.resources.mlflow.connection import connect, is_database, quiet_mlflow, sqlite_path
from ml_assets.resources.mlflow.experiments import find_experiment

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from mlflow import MlflowClient

log = logging.getLogger("ml_assets.tracking")
RUN_TAG = "dagster_run_id"
PARENT_TAG = "mlflow.parentRunId"
KILLED = "KILLED"


def end_dead_runs_of(uri: str, experiment: str, instance: "DagsterInstance") -> list[str]:
    """End the MLflow runs in a store whose Dagster runs have ended; a store that does not exist is not created.

    Args:
        uri: URI of the store.
        experiment: name of the model.
        instance: the instance of the Dagster runs.

    Returns:
        The IDs of the MLflow runs.

    Raises:
        MlflowUnavailable: when the store cannot be used.
    """
    path = sqlite_path(uri)
    if is_database(uri) and path is not None and not path.exists():
        return []
    with quiet_mlflow():
        client = connect(uri)
        model_experiment = find_experiment(client, experiment)
        return end_dead_runs(client, model_experiment.experiment_id, instance) if model_experiment else []


def end_dead_runs(client: "MlflowClient", experiment_id: str, instance: "DagsterInstance") -> list[str]:
    """End as KILLED the MLflow runs of an experiment whose Dagster runs have ended, and the runs nested in them.

    A run whose Dagster run is unknown to this instance is left alone: another instance may be working on it.

    Returns:
        The IDs of the MLflow runs.
    """
    running = client.search_runs([experiment_id], "attributes.status = 'RUNNING'", max_results=1000)
    dead = [run for run in running if RUN_TAG in run.data.tags and _has_ended(instance, run.data.tags[RUN_TAG])]
    parents = {run.info.run_id for run in dead}
    dead += [run for run in running if run.data.tags.get(PARENT_TAG) in parents and run not in dead]
    for run in dead:
        client.set_terminated(run.info.run_id, KILLED)
        log.warning("the MLflow run %s was left running by a process that is gone: it is KILLED", run.info.run_id)
    return [run.info.run_id for run in dead]


def _has_ended(instance: "DagsterInstance", run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is not None and run.is_finished
