"""The manifest has the structure of KServe's v1beta1 API."""

import re

import pytest

from ml_assets.core.kubernetes.inference_service import ServedVersion, inference_service, stored_uri

VERSION = ServedVersion(7, "ab12", "s3://models/1/models/m-1/artifacts")
# The fields of KServe's v1beta1 InferenceService that are used here, as its custom resource definition types them.
SCHEMA = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "serving.kserve.io/v1beta1"},
        "kind": {"const": "InferenceService"},
        "metadata": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63},
                "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "spec": {
            "type": "object",
            "required": ["predictor"],
            "additionalProperties": False,
            "properties": {
                "predictor": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "canaryTrafficPercent": {"type": "integer", "minimum": 0, "maximum": 100},
                        "serviceAccountName": {"type": "string"},
                        "model": {
                            "type": "object",
                            "required": ["modelFormat"],
                            "additionalProperties": False,
                            "properties": {
                                "modelFormat": {
                                    "type": "object",
                                    "required": ["name"],
                                    "properties": {"name": {"const": "mlflow"}},
                                },
                                "protocolVersion": {"enum": ["v1", "v2", "grpc-v1", "grpc-v2"]},
                                "storageUri": {"type": "string"},
                            },
                        },
                    },
                }
            },
        },
    },
}


@pytest.mark.parametrize("percent", [None, 0, 25, 100])
@pytest.mark.parametrize("account", [None, "models-reader"])
def test_the_manifest_is_a_valid_inference_service(percent, account):
    import jsonschema

    built = inference_service("fraud_detection", VERSION, percent, account)
    jsonschema.validate(built, SCHEMA)
    predictor = built["spec"]["predictor"]
    assert predictor.get("canaryTrafficPercent") == percent
    assert predictor.get("serviceAccountName") == account
    assert predictor["model"]["storageUri"] == VERSION.uri
    assert built["metadata"] == {
        "name": "fraud-detection",
        "annotations": {"ml-assets/model-version": "7", "ml-assets/model-digest": "ab12"},
    }


@pytest.mark.parametrize("uri", ["file:///data/mlruns/1", "mlflow-artifacts:/1/models/m-1/artifacts", "/data/mlruns/1"])
def test_artifacts_that_kserve_cannot_fetch_are_refused(uri):
    with pytest.raises(ValueError, match=re.escape(f"are at {uri}, but KServe fetches only from")):
        inference_service("fraud_detection", ServedVersion(7, "ab12", uri), None)


@pytest.mark.parametrize(
    ("uri", "artifacts", "stored"),
    [
        ("mlflow-artifacts:/1/models/m-1/artifacts", "s3://bucket/mlflow", "s3://bucket/mlflow/1/models/m-1/artifacts"),
        ("mlflow-artifacts://mlflow:5000/1/models/m-1", "s3://bucket/", "s3://bucket/1/models/m-1"),
        ("mlflow-artifacts:/1/models/m-1", None, "mlflow-artifacts:/1/models/m-1"),
        ("s3://other/1/models/m-1", "s3://bucket", "s3://other/1/models/m-1"),
    ],
)
def test_artifacts_behind_the_server_of_mlflow_have_the_uri_of_their_storage(uri, artifacts, stored):
    assert stored_uri(uri, artifacts) == stored


def test_artifacts_behind_the_server_of_mlflow_need_its_storage():
    with pytest.raises(ValueError, match="with --artifacts"):
        inference_service("small", ServedVersion(7, "ab12", "mlflow-artifacts:/1/models/m-1/artifacts"), None)
