"""A registered model as a KServe InferenceService, with its version and its share of the requests."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# URI schemes that KServe's storage initializer supports.
STORAGE_SCHEMES = ("s3://", "gs://", "https://", "http://", "hdfs://", "webhdfs://", "pvc://", "hf://")
# The scheme of artifacts that MLflow's server stores and serves itself, as in our chart.
PROXIED = "mlflow-artifacts"


@dataclass(frozen=True)
class ServedVersion:
    """A version in the registry: its number, the digest of its model, and the URI of its MLflow model."""

    number: int
    digest: str
    uri: str


def stored_uri(uri: str, artifacts: str | None) -> str:
    """Return the storage URI of artifacts.

    Args:
        uri: URI in MLflow. Only `mlflow-artifacts:` hides the storage.
        artifacts: location where MLflow's server stores artifacts (its `--artifacts-destination`); None if unknown.
    """
    parts = urlsplit(uri)
    if artifacts is None or parts.scheme != PROXIED:
        return uri
    return f"{artifacts.rstrip('/')}/{parts.path.lstrip('/')}"


def inference_service(
    model: str, version: ServedVersion, percent: int | None, service_account: str | None = None
) -> dict[str, Any]:
    """Build the manifest as plain values.

    KServe has revisions, not aliases: `canaryTrafficPercent` is the share of the requests for the revision of this
    manifest, and the rest goes to the revision that had all requests before. So apply the champion without a percentage
    first, and then the challenger with one.

    Args:
        model: name of the model; `_` becomes `-` in the name of the service.
        version: the version that the revision serves.
        percent: share of the requests, 0 to 100. None: all requests; a later canary then shares them with this
            revision.
        service_account: the service account with the credentials of the storage; None: the default of the namespace.

    Raises:
        ValueError: when KServe cannot fetch the artifacts from their URI.
    """
    if not version.uri.startswith(STORAGE_SCHEMES):
        raise ValueError(
            f"the artifacts of version {version.number} of {model} are at {version.uri}, but KServe fetches only from "
            f"{', '.join(STORAGE_SCHEMES)}. "
            + (
                "Name the bucket in which MLflow's server stores them with --artifacts"
                if version.uri.startswith(f"{PROXIED}:")
                else "Give MLflow's server an artifact root in a bucket that the cluster can read, and register the "
                "model again"
            )
        )
    annotations = {"ml-assets/model-version": str(version.number), "ml-assets/model-digest": version.digest}
    predictor: dict[str, Any] = {} if percent is None else {"canaryTrafficPercent": percent}
    predictor |= {} if service_account is None else {"serviceAccountName": service_account}
    predictor["model"] = {"modelFormat": {"name": "mlflow"}, "protocolVersion": "v2", "storageUri": version.uri}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": model.replace("_", "-"), "annotations": annotations},
        "spec": {"predictor": predictor},
    }
