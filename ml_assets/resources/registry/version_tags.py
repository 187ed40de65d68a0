"""Tags of registered versions, by model digest."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient


def tagged(client: "MlflowClient", name: str, tag: str) -> dict[str, str]:
    """Model digest to value of a tag, of each version of model `name` that has the tag; the tag of letters, digits and
    `_`.
    """
    found = client.search_model_versions(f"name = '{name}' and tags.{tag} LIKE '%'")
    return {version.tags["model_digest"]: version.tags[tag] for version in found}


def set_tag(client: "MlflowClient", name: str, digest: str, tag: str, value: str | None) -> None:
    """Set a tag of the version with a digest, or take it away with None; nothing where there is no such version."""
    for version in client.search_model_versions(f"name = '{name}' and tags.model_digest = '{digest}'"):
        if value is not None:
            client.set_model_version_tag(name, version.version, tag, value)
        elif tag in version.tags:
            client.delete_model_version_tag(name, version.version, tag)
