"""Aliases of the registry: the version that one points to, and moving one, but never back to a model of an earlier day."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class AliasMove:
    """What became of an alias: the version it points to now, the one before (None when it was new), whether it moved, and why or why not."""

    alias: str
    version: int
    previous: int | None
    moved: bool
    reason: str


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


def move_alias(client: "MlflowClient", name: str, alias: str, version: int, as_of_day: date) -> AliasMove:
    """Point `alias` of model `name` to `version`, a model of `as_of_day`, unless it points to a model of a later day.

    Days are made in any order and made again, so the newest call need not be about the newest model. MLflow cannot compare and set in one request: of
    two processes that move the same alias within the same milliseconds, the later request wins.

    Raises:
        mlflow.exceptions.MlflowException: when there is no such version.
    """
    holder = alias_holder(client, name, alias)
    previous = int(holder.version) if holder is not None else None
    if previous == version:
        return AliasMove(alias, version, previous, False, f"{alias} points to version {version} already")
    held = holder.tags.get("day") if holder is not None else None
    if previous is not None and held is not None and date.fromisoformat(held) > as_of_day:
        reason = f"{alias} points to version {previous} of {held}, later than {as_of_day}: left alone"
        return AliasMove(alias, previous, previous, False, reason)
    client.set_registered_model_alias(name, alias, str(version))
    before = f"from version {previous}" if previous is not None else "as a new alias"
    return AliasMove(alias, version, previous, True, f"{alias} moved {before} to version {version} of {as_of_day}")
