"""Aliases and tags of a registered model: reading them, and setting them to the state in the release ledger."""

from typing import TYPE_CHECKING

from ml_assets.core.release.registry_state import RELEASE_TAG, RegistryState, changes

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel


def alias_holder(client: "MlflowClient", name: str, alias: str) -> "ModelVersion | None":
    """Return the version that `alias` of model `name` points to, with its tags; None if there is no such alias or
    model.
    """
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        # MLflow reports a missing alias as an invalid parameter, not as a missing resource.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def registered_model(client: "MlflowClient", name: str) -> "RegisteredModel | None":
    """Return the registered model `name` with aliases and tags, in one request; None if there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def set_registry_state(client: "MlflowClient", name: str, current: RegistryState, wanted: RegistryState) -> None:
    """Change aliases and tags of the registered model `name` from the current to the wanted state, except the tag of
    the release.
    """
    for change in changes(current, wanted):
        if change.kind == "tag":
            client.set_registered_model_tag(name, change.name, change.value)
        elif change.value is not None:
            client.set_registered_model_alias(name, change.name, change.value)
        else:
            client.delete_registered_model_alias(name, change.name)


def mark_release_complete(client: "MlflowClient", name: str, release: int) -> None:
    """Tag the registered model `name` with the number of a release that was carried out completely."""
    client.set_registered_model_tag(name, RELEASE_TAG, str(release))
