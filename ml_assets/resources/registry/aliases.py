"""Aliases of the registry: the version that one points to, and showing there what the release ledger says."""

from typing import TYPE_CHECKING

from ml_assets.core.release.registry_state import RELEASE_TAG, RegistryState, changes

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel


def alias_holder(client: "MlflowClient", name: str, alias: str) -> "ModelVersion | None":
    """The version that `alias` of model `name` points to, with its tags; None when there is no such alias or model."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        # An alias that does not exist is an invalid parameter to MLflow, not a missing resource.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def registered_model(client: "MlflowClient", name: str) -> "RegisteredModel | None":
    """The registered model `name` with aliases and tags, in one request; None when there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def read_shown(client: "MlflowClient", name: str) -> RegistryState | None:
    """What the registered model `name` shows of a release, in one request; None when there is no such model."""
    model = registered_model(client, name)
    return None if model is None else RegistryState.of(model.aliases, model.tags)


def show(client: "MlflowClient", name: str, shown: RegistryState, wanted: RegistryState) -> None:
    """Bring aliases and tags of the registered model `name` from what it shows to what is wanted, all but the tag of
    the release.
    """
    for change in changes(shown, wanted):
        if change.kind == "tag":
            client.set_registered_model_tag(name, change.name, change.value)
        elif change.value is not None:
            client.set_registered_model_alias(name, change.name, change.value)
        else:
            client.delete_registered_model_alias(name, change.name)


def mark_as_carried_out(client: "MlflowClient", name: str, release: int) -> None:
    """Note on the registered model `name` that a release is carried out in full."""
    client.set_registered_model_tag(name, RELEASE_TAG, str(release))
