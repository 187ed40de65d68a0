"""The MLflow experiment of a model: found, even after somebody renamed it, or created."""

import logging
from typing import TYPE_CHECKING

from ml_assets.resources.databases.uri_secrets import has_credentials, without_credentials
from ml_assets.resources.mlflow.connection import is_database, sqlite_path

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

log = logging.getLogger("ml_assets.tracking")
MODEL_TAG = "ml_assets.model"


class ExperimentDeleted(Exception):
    """Somebody deleted the experiment of a model. The message names the command that restores it."""


def find_experiment(client: "MlflowClient", model: str) -> "Experiment | None":
    """Return the experiment of a model, even if somebody deleted or renamed it; None if there is none."""
    experiment = client.get_experiment_by_name(model)
    if experiment is not None:
        return experiment
    renamed = client.search_experiments(filter_string=f"tags.`{MODEL_TAG}` = '{model}'", max_results=1)
    return renamed[0] if renamed else None


def ensure_experiment(client: "MlflowClient", model: str, uri: str, artifact_root: str | None) -> "Experiment":
    """Return the experiment of a model; create it unless it exists.

    If the store is a database, dagster-mlflow would create one whose artifacts go to the current directory.

    Args:
        client: MLflow's client of the store.
        model: name of the model, and of its experiment unless somebody renamed it.
        uri: URI of the store.
        artifact_root: URI under which a new experiment keeps its artifacts; None: a server decides, and an SQLite store
            keeps them beside it.

    Raises:
        ExperimentDeleted: when somebody deleted the experiment.
        ValueError: when the location of the artifacts of a new experiment is not set.
    """
    from mlflow.exceptions import MlflowException

    if artifact_root is None and is_database(uri) and sqlite_path(uri) is None:
        raise ValueError(
            f"MLflow's store {without_credentials(uri)} does not define where artifacts go: set "
            "MLFLOW_DEFAULT_ARTIFACT_ROOT to a directory or s3://bucket/prefix that every process reaches"
        )
    experiment = find_experiment(client, model)
    if experiment is None:
        root = artifact_root
        if root is None and (store := sqlite_path(uri)):
            root = (store.parent / "mlartifacts").as_uri()
        try:
            client.create_experiment(model, f"{root.rstrip('/')}/{model}" if root else None, {MODEL_TAG: model})
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        experiment = client.get_experiment_by_name(model)
        assert experiment is not None
    if problem := explain_deleted(experiment, uri, model):
        raise ExperimentDeleted(problem)
    if experiment.name != model:
        log.warning("the MLflow experiment %s was renamed to %s, where its runs go on", model, experiment.name)
    elif MODEL_TAG not in experiment.tags:
        client.set_experiment_tag(experiment.experiment_id, MODEL_TAG, model)
    return experiment


def explain_deleted(experiment: "Experiment | None", uri: str, model: str) -> str | None:
    """Return a message if somebody deleted the experiment, with the commands that restore it; None if nobody did."""
    if experiment is None or experiment.lifecycle_stage != "deleted":
        return None
    return (
        f"the MLflow experiment {experiment.name} (ID {experiment.experiment_id}) was deleted: "
        f"`ml-assets restore {model}` restores it, and so does "
        f"`{store_of_command(uri)}mlflow experiments restore -x {experiment.experiment_id}`"
    )


def store_of_command(uri: str) -> str:
    """Return the prefix that names the store in a shell command of MLflow; empty if the URI has credentials, because
    the variable must then be set already.
    """
    return "" if has_credentials(uri) else f"MLFLOW_TRACKING_URI={uri} "
