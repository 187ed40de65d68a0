"""Deletion of old versions from the MLflow registry, and of logged models that no version refers to."""

import logging
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from ml_assets.core.operations.retention import ModelVersion
from ml_assets.resources.mlflow.connection import quiet_mlflow
from ml_assets.resources.mlflow.experiments import find_experiment
from ml_assets.resources.mlflow_internals.artifact_deletion import delete_artifacts

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

log = logging.getLogger("ml_assets.registry")


class UnknownVersion(Exception):
    """A version has no model digest or day, so its dependencies are not known."""


def registered_versions(client: "MlflowClient", name: str) -> list[ModelVersion]:
    """Return all versions of a registered model with their aliases, lowest first; none if there is no such model.

    Raises:
        UnknownVersion: when a version has no tags `day` and `model_digest`.
    """
    from mlflow.exceptions import MlflowException

    model_versions, page = [], None
    while page is None or page.token:
        page = client.search_model_versions(f"name = '{name}'", page_token=page.token if page else None)
        model_versions += page
    aliases: dict[int, list[str]] = {}
    try:
        # Aliases are read after the versions, so that an alias set in between is included; a search need not return
        # aliases at all.
        for alias, version in client.get_registered_model(name).aliases.items():
            aliases.setdefault(int(version), []).append(alias)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    versions = []
    for version in sorted(model_versions, key=lambda model_version: int(model_version.version)):
        day, digest = version.tags.get("day"), version.tags.get("model_digest")
        if not day or not digest:
            raise UnknownVersion(
                f"version {version.version} of {name} in the registry has no tags day and model_digest, so its "
                "dependencies are not known; give it these tags, or delete the version"
            )
        number = int(version.version)
        versions.append(ModelVersion(number, date.fromisoformat(day), digest, tuple(sorted(aliases.get(number, [])))))
    return versions


def delete_version(client: "MlflowClient", name: str, number: int) -> bool:
    """Delete a version unless an alias points to it; return whether it is gone.

    MLflow has no conditional deletion: an alias that is set within the milliseconds between check and deletion is lost
    with the version.
    """
    from mlflow.exceptions import MlflowException

    try:
        if client.get_model_version(name, str(number)).aliases:
            return False
        client.delete_model_version(name, str(number))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    return True


def logged_models(client: "MlflowClient", name: str) -> "dict[str, list[LoggedModel]]":
    """Return the models logged to the experiment `name` by digest, without models of other code, which have no tag
    `model_digest`.
    """
    experiment = find_experiment(client, name)
    models: dict[str, list[LoggedModel]] = {}
    page = None
    while experiment is not None and (page is None or page.token):
        page = client.search_logged_models([experiment.experiment_id], page_token=page.token if page else None)
        for model in page:
            if digest := model.tags.get("model_digest"):
                models.setdefault(digest, []).append(model)
    return models


def logged_at(model: "LoggedModel") -> datetime:
    """Return the time at which a model was logged, in UTC."""
    return datetime.fromtimestamp(model.creation_timestamp / 1000, UTC)


def delete_logged_model(client: "MlflowClient", model: "LoggedModel") -> None:
    """Delete the files of a logged model, then the model; its run stays as a record."""
    with quiet_mlflow():
        delete_artifacts(model.artifact_location, client.tracking_uri)
        client.delete_logged_model(model.model_id)
