"""Versions that a person may release, or point an alias to in MLflow, and descriptions of such moves."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.release.release_state import Release, Version

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


class ReleaseRefused(Exception):
    """A version cannot be released; the message contains the reason. Nothing was written."""


def version_of(model_version: "ModelVersion") -> Version:
    """Return a version with the model day and digest in its tags.

    Raises:
        ReleaseRefused: when it has no tags `day` and `model_digest`, or does not pass its gates.
    """
    number, tags = model_version.version, model_version.tags
    day, digest = tags.get("day"), tags.get("model_digest")
    if not day or not digest:
        raise ReleaseRefused(f"version {number} has no tags day and model_digest, so it is not known which model it is")
    if tags.get("gates") == "failed":
        raise ReleaseRefused(f"version {number} of {day} does not pass its gates")
    return Version(int(number), digest, date.fromisoformat(day))


def describe_unknown_aliases(name: str, aliases: Mapping[str, int]) -> str:
    """Describe aliases that a registered model has although this pipeline has not released a version of it, and what to
    do about them.

    Args:
        name: name of the model.
        aliases: version number by alias.
    """
    listed = " and ".join(f"{alias} on version {number}" for alias, number in aliases.items()) or "a share of a canary"
    return (
        f"the registered model {name} in MLflow has {listed}, and this pipeline has released no version of it. If it "
        f"belongs to another project, rename the model in the specification; if not, delete the aliases with "
        f"`ml-assets mlflow`, and materialize the deployment again"
    )


def describe_move(before: Release, after: Release) -> str:
    """Describe the manual changes in MLflow between two states, as the reason of a release."""
    old = before.aliases
    moved = [
        f"{alias} from {old[alias] or 'none'} to {version or 'none'}"
        for alias, version in after.aliases.items()
        if version != old[alias]
    ]
    share = [f"the share from {before.percent} to {after.percent} percent"] if before.percent != after.percent else []
    paused = [f"paused from {before.paused} to {after.paused}"] if before.paused != after.paused else []
    return f"moved in MLflow by hand: {', '.join([*moved, *share, *paused])}"
