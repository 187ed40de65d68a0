"""A registered model as a KServe InferenceService: which version is rolled out, and which share of the requests goes to
it.
"""

from dataclasses import dataclass
from typing import Any

# What KServe's storage initializer fetches from.
FETCHED = ("s3://", "gs://", "https://", "http://", "hdfs://", "webhdfs://", "pvc://", "hf://")


@dataclass(frozen=True)
class ServedVersion:
    """A version in the registry: its number, the digest of its model, and where the folder of the MLflow model lies."""

    number: int
    digest: str
    uri: str


def inference_service(
    model: str, version: ServedVersion, percent: int | None, service_account: str | None = None
) -> dict[str, Any]:
    """The manifest, as plain values.

    KServe knows revisions, not aliases: `canaryTrafficPercent` is the share of the requests that goes to the revision
    of this manifest, and the rest goes to the one that had all before. So the champion is applied without a percentage,
    and then the challenger with one.

    Args:
        model: name of the model; `_` becomes `-` in the name of the service.
        version: what the revision serves.
        percent: of the requests, 0 to 100; None: all, which also makes it the revision that a later canary is measured
            against.
        service_account: the account whose secret opens the storage; None: that of the namespace.

    Raises:
        ValueError: when the artifacts lie where KServe cannot fetch them.
    """
    if not version.uri.startswith(FETCHED):
        raise ValueError(
            f"the artifacts of version {version.number} of {model} lie at {version.uri}, which KServe cannot fetch from "
            f"(it can from {', '.join(FETCHED)}); give MLflow's server an artifact root in a bucket that the cluster can read, and register again"
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
