"""Values that are refused, each with a message that names the field."""

import re

import helm_python
import pytest

from ml_assets.defs.variables import SECRET_NAME
from ml_assets_tests.helm.charts import our_values, render

ELSEWHERE = {"enabled": False, "uri": "https://mlflow.example.com"}


def refusal(**changes: object) -> str:
    """Return the message with which the chart refuses values."""
    with pytest.raises(helm_python.HelmError) as refused:
        render(our_values("laptop", **changes))
    return str(refused.value)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scorring": {}}, "scorring"),
        ({"mlflow": {"artifact": "s3://bucket"}}, "artifact"),
        ({"image": {"tag": "latest"}}, "image.tag: name a version"),
        ({"scoring": {"image": {"tag": "latest"}}}, "scoring.image.tag: name a version"),
        ({"scoring": {"resources": {"limits": {"memory": "2GB"}}}}, "/scoring/resources/limits/memory"),
        ({"scoring": {"resources": {"limits": {"memory": "512m"}}}}, "/scoring/resources/limits/memory"),
        ({"quota": {"hard": {"requests.cpu": "many"}}}, "/quota/hard/requests.cpu"),
        ({"network": {"postgresql": {"peers": [{"ipBlock": {"cidr": "10.0.0.5"}}]}}}, "ipBlock/cidr"),
        ({"image": {"digest": "sha256:1"}}, "digest"),
        ({"scoring": {"models": ["Fraud Detection"]}}, "Fraud Detection"),
        ({"scoring": {"models": ["fraud_"]}}, "/scoring/models/0"),
        ({"scoring": {"models": ["m" * 61]}}, "/scoring/models/0"),
        ({"environment": {"ML_ASSETS_ENV": "local"}}, "ML_ASSETS_ENV"),
        ({"dagster": {"webserverPort": 80}}, "webserverPort"),
        ({"network": {"postgresql": {"peers": []}}}, "peers"),
        ({"network": {"notifications": {"ports": []}}}, "ports"),
        ({"network": {"notifications": {"port": 0}}}, "port"),
        ({"network": {"notifications": {"ports": None}}}, "port"),
        ({"scoring": {"apiKeySecret": "My Key"}}, "apiKeySecret"),
        ({"admission": {"secret": ["x"]}}, "secret"),
        ({"avoidGpuNodes": "sometimes"}, "avoidGpuNodes"),
        ({"serviceAccounts": {"ml-assets-code": {}}}, "ml-assets-code"),
        ({"scoring": {"minReplicas": 7}}, "scoring.minReplicas (7) is greater than scoring.maxReplicas (6)"),
        ({"mlflow": {"uri": "https://mlflow.example.com"}}, "mlflow.uri"),
        ({"mlflow": {"enabled": False}}, "mlflow.uri"),
        ({"mlflow": ELSEWHERE}, "network.mlflow.peers"),
        ({"environment": {"MLFLOW_TRACKING_URI": "http://mlflow:5000"}}, "environment.MLFLOW_TRACKING_URI"),
        ({"quota": {"hard": {"pods": True}}}, "/quota/hard/pods"),
        ({"mlflow": {"ingress": {"enabled": True}}}, "mlflow.ingress.host"),
        ({"mlflow": {"ingress": {"enabled": True, "host": "a.example.com"}}}, "network.mlflowClients"),
        ({"scoring": {"httpRoute": {"enabled": True, "hostname": "a.example.com"}}}, "scoring.httpRoute.parentRefs"),
        (
            {"scoring": {"models": ["a", "b"], "ingress": {"enabled": True, "host": "a.example.com"}}},
            "scoring.ingress.host needs {model}",
        ),
    ],
)
def test_invalid_values_are_refused_and_the_error_names_the_field(change, field):
    assert field in refusal(**change)


@pytest.mark.parametrize(
    "name",
    [
        "ML_ASSETS_NOTIFY",
        "ML_ASSETS_DATABASE",
        "ML_ASSETS_CAPTURE_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "PGPASSWORD",
        "ML_ASSETS_API_KEY",
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    ],
)
def test_variables_that_hold_a_credential_are_refused_by_name(name):
    assert SECRET_NAME.search(name) or name == "ML_ASSETS_DATABASE"
    assert f"environment.{name} holds a credential" in refusal(environment={name: "x"})
    assert f"scoring.extraEnv.{name} holds a credential" in refusal(
        scoring={"extraEnv": [{"name": name, "value": "x"}]}
    )


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://dagster:hunter2@db.example.com/dagster",
        "http://:hunter2@proxy:3128",
        "https://collector/v1?api_key=abc",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a" * 36,
        "xoxb-1-2-abc",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x",
        "-----BEGIN PRIVATE KEY-----",
        "https://hooks.slack.com/services/T0/B0/x",
    ],
)
def test_credentials_are_refused_by_value_wherever_they_stand_and_are_not_repeated(value):
    for message in (
        refusal(environment={"HTTPS_PROXY": value}),
        refusal(mlflow={"extraEnv": [{"name": "X", "value": value}]}),
        refusal(scoring={"podAnnotations": {"x": value}}),
    ):
        assert re.search(r"(environment\.HTTPS_PROXY|extraEnv\[0\]\.value|podAnnotations\.x): the value holds", message)
        assert value not in message


@pytest.mark.parametrize("field", ["s3Secret", "mlflow.databaseSecret", "dagster.postgresqlSecret"])
def test_what_is_in_a_secret_is_refused_in_place_of_its_name_and_not_repeated(field):
    value = "postgresql://dagster:hunter2@db.example.com/mlflow"
    part, _, name = field.partition(".")
    message = refusal(**{part: {name: value} if name else value})
    assert f"{field}: write the name of a secret, not what is in it" in message
    assert "hunter2" not in message


def test_names_of_files_and_of_secrets_and_plain_addresses_are_no_credentials():
    assert render(
        our_values(
            "laptop",
            environment={
                "ML_ASSETS_NOTIFY_FILE": "/etc/notify/targets",
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/token",
                "HTTPS_PROXY": "http://proxy.example.com:3128",
                "no_proxy": ".svc,10.0.0.0/8,user@example.com",
                "ML_ASSETS_UI": "https://dagster.example.com/a:b@c",
            },
            scoring={
                "extraEnv": [
                    {"name": "MLFLOW_TRACKING_TOKEN", "valueFrom": {"secretKeyRef": {"name": "mlflow", "key": "token"}}}
                ]
            },
        )
    )
