"""Tags of registered versions, by model digest."""

import re
from typing import TYPE_CHECKING

from ml_assets.resources.observability.redaction import redact_text

if TYPE_CHECKING:
    from mlflow import MlflowClient

SAFE_IN_A_FILTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:-]{0,127}")


def tag_values(client: "MlflowClient", name: str, tag: str) -> dict[str, str]:
    """Return the value of a tag by model digest, for each version of model `name` that has the tag.

    The name of the tag consists of letters, digits and `_`.
    """
    versions = client.search_model_versions(f"name = '{name}' and tags.{tag} LIKE '%'")
    return {version.tags["model_digest"]: version.tags[tag] for version in versions}


def set_tag(client: "MlflowClient", name: str, digest: str, tag: str, value: str | None) -> None:
    """Set a tag of the version with a digest, without the secrets of this process, or remove it if the value is None.
    If there is no such version, nothing happens.
    """
    for version in client.search_model_versions(f"name = '{name}' and tags.model_digest = '{digest}'"):
        if value is not None:
            client.set_model_version_tag(name, version.version, tag, redact_text(value))
        elif tag in version.tags:
            client.delete_model_version_tag(name, version.version, tag)


def safe_in_a_filter(field: str, value: str) -> str:
    """Check a name or digest for use in an MLflow filter, and return it.

    Raises:
        ValueError: when it has other characters than letters, digits, `_`, `:` and `-`.
    """
    if not SAFE_IN_A_FILTER.fullmatch(value):
        raise ValueError(
            f"the {field} {value!r} of a model must be at most 128 letters, digits, _, : and -, the first a letter or "
            "digit"
        )
    return value
