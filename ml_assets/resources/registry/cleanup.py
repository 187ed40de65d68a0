"""Removing old versions from the MLflow registry: what is registered, deleting a version, and the logged models that no
version is of.
"""

import logging
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from ml_assets.core.operations.retention import ModelVersion
from ml_assets.resources.mlflow.connection import quiet_mlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

log = logging.getLogger("ml_assets.registry")


class UnknownVersion(Exception):
    """A version does not say which model it is of, so what it needs cannot be known."""


def registered_versions(client: "MlflowClient", name: str) -> list[ModelVersion]:
    """All versions of a registered model with their aliases, lowest first; none when there is no such model.

    Raises:
        UnknownVersion: when a version has no tags `day` and `model_digest`.
    """
    from mlflow.exceptions import MlflowException

    found, page = [], None
    while page is None or page.token:
        page = client.search_model_versions(f"name = '{name}'", page_token=page.token if page else None)
        found += page
    pointing: dict[int, list[str]] = {}
    try:
        # Aliases are asked for after the versions, so that one that was set meanwhile is seen; a search need not tell
        # them at all.
        for alias, version in client.get_registered_model(name).aliases.items():
            pointing.setdefault(int(version), []).append(alias)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    versions = []
    for version in sorted(found, key=lambda each: int(each.version)):
        day, digest = version.tags.get("day"), version.tags.get("model_digest")
        if not day or not digest:
            raise UnknownVersion(
                f"version {version.version} of {name} in the registry has no tags day and model_digest, so what it needs is not known; "
                "give it these tags, or delete the version"
            )
        number = int(version.version)
        versions.append(ModelVersion(number, date.fromisoformat(day), digest, tuple(sorted(pointing.get(number, [])))))
    return versions


def delete_version(client: "MlflowClient", name: str, number: int) -> bool:
    """Delete a version unless an alias points to it now; says whether it is gone.

    MLflow cannot delete on a condition: an alias that is set within the milliseconds between the look and the deletion
    is lost with the version.
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
    """The models logged to the experiment `name`, by their digest; those without the tag `model_digest` are somebody
    else's.
    """
    experiment = client.get_experiment_by_name(name)
    found: dict[str, list[LoggedModel]] = {}
    page = None
    while experiment is not None and (page is None or page.token):
        page = client.search_logged_models([experiment.experiment_id], page_token=page.token if page else None)
        for model in page:
            if digest := model.tags.get("model_digest"):
                found.setdefault(digest, []).append(model)
    return found


def logged_at(model: "LoggedModel") -> datetime:
    """When a model was logged, in UTC."""
    return datetime.fromtimestamp(model.creation_timestamp / 1000, UTC)


def delete_logged_model(client: "MlflowClient", model: "LoggedModel") -> None:
    """Delete the files of a logged model, then the model; its run stays as a record.

    MLflow's client marks a model as deleted and leaves its files to `mlflow gc`, which needs the database; so they are
    deleted here the way it does.
    """
    with quiet_mlflow():
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        get_artifact_repository(model.artifact_location, tracking_uri=client.tracking_uri).delete_artifacts()
        client.delete_logged_model(model.model_id)
