"""Our chart, linted and rendered by Helm's own engine."""

import json

import helm_python
import kubernetes_validate
import pytest

from ml_assets_tests.helm.charts import CHART, LAPTOP, PLACES, of_kind, our_values, pods, render, rendered, validate

# The oldest version that the chart allows and that has schemas here, and the newest.
KUBERNETES = ("1.25", "1.37")
CASES = {
    **{place: our_values(place) for place in PLACES},
    "nothing optional": our_values(
        "laptop",
        mlflow={"enabled": False},
        scoring={"models": []},
        network={"enabled": False},
        quota={"enabled": False},
        priorityClasses={"create": False},
        monitoring={"dashboard": False},
    ),
    "two models, a key, a private registry": our_values(
        "production",
        scoring={"models": ["fraud_detection", "pump_failures"]},
        imagePullSecrets=[],
        network={"mlflowClients": [{"podSelector": {}}]},
    )
    | {"imagePullSecrets": [{"name": "registry"}]},
    "closed to all clients": our_values("laptop", network={"webserverClients": [], "scoringClients": []}),
}
# Resources of the Prometheus operator, which test_monitoring.py validates.
NOT_KUBERNETES = {"ServiceMonitor", "PrometheusRule"}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())
def test_helm_lint_passes(values):
    lint_result = helm_python.lint(CHART, values)
    assert lint_result["errors"] == []
    # Severity 1 is information: a chart without an icon.
    assert [message for message in lint_result["messages"] if message["severity"] > 1] == []


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())
def test_every_manifest_is_valid_for_kubernetes(values, version):
    manifests = render(values)
    for manifest in manifests:
        if manifest["kind"] not in NOT_KUBERNETES:
            validate(manifest, version)
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("version", KUBERNETES)
def test_manifests_of_the_laptop_are_valid_for_kubernetes(version):
    for manifest in LAPTOP:
        validate(manifest, version)


def test_a_field_that_kubernetes_does_not_know_is_refused():
    [service] = [
        manifest
        for manifest in rendered("laptop")
        if manifest["metadata"]["name"] == "ml-assets-mlflow" and manifest["kind"] == "Service"
    ]
    with pytest.raises(kubernetes_validate.ValidationError, match="sesionAffinity"):
        validate({**service, "spec": {**service["spec"], "sesionAffinity": "None"}}, KUBERNETES[1])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scorring": {}}, "scorring"),
        ({"mlflow": {"artifact": "s3://bucket"}}, "artifact"),
        ({"image": {"tag": "latest"}}, "tag"),
        ({"scoring": {"models": ["Fraud Detection"]}}, "Fraud Detection"),
        ({"environment": {"ML_ASSETS_ENV": "local"}}, "ML_ASSETS_ENV"),
        ({"environment": {"AWS_SECRET_ACCESS_KEY": "x"}}, "AWS_SECRET_ACCESS_KEY"),
        ({"dagster": {"webserverPort": 80}}, "webserverPort"),
        ({"network": {"postgresql": {"peers": []}}}, "peers"),
        ({"avoidGpuNodes": "sometimes"}, "avoidGpuNodes"),
    ],
)
def test_invalid_values_are_refused_and_the_error_names_the_field(change, field):
    with pytest.raises(helm_python.HelmError) as refused:
        render(our_values("laptop", **change))
    assert field in str(refused.value)


@pytest.mark.parametrize("place", PLACES)
def test_the_chart_refers_to_secrets_and_creates_none(place):
    assert of_kind(rendered(place), "Secret") == []
    named = {
        reference["secretKeyRef"]["name"]
        for _, pod in pods(rendered(place))
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
        for reference in (variable.get("valueFrom", {}) for variable in container.get("env", []))
        if reference
    }
    assert named == {"ml-assets-mlflow-database"}


def test_production_has_no_credentials_and_no_s3_endpoint_of_the_laptop():
    text = json.dumps(rendered("production"))
    assert "ml-assets-s3" not in text
    assert "minio" not in text
    [environment] = of_kind(rendered("production"), "ConfigMap")[:1]
    assert "AWS_ENDPOINT_URL" not in environment["data"]


@pytest.mark.parametrize("place", PLACES)
def test_services_disruption_budgets_and_autoscalers_select_their_pods(place):
    manifests = rendered(place)
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(manifests)}
    for manifest in of_kind(manifests, "Service") + of_kind(manifests, "PodDisruptionBudget"):
        selector = manifest["spec"]["selector"]
        match_labels = selector.get("matchLabels", selector)
        assert [name for name, pod_labels in labels.items() if match_labels.items() <= pod_labels.items()] == [
            manifest["metadata"]["name"]
        ]
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]["name"]
        [deployment] = [
            manifest for manifest in of_kind(manifests, "Deployment") if manifest["metadata"]["name"] == target
        ]
        # Each upgrade would reset stated replicas, against the autoscaler.
        assert "replicas" not in deployment["spec"]
        # With a single replica the disruption budget would block every node upgrade.
        assert scaler["spec"]["minReplicas"] > 1


def test_each_served_model_has_its_own_deployment():
    manifests = render(our_values("laptop", scoring={"models": ["fraud_detection", "pump_failures"]}))
    served = {name: pod for name, pod in pods(manifests) if "scoring" in name}
    assert set(served) == {"ml-assets-scoring-fraud-detection", "ml-assets-scoring-pump-failures"}
    for name, pod in served.items():
        [container] = pod["spec"]["containers"]
        assert name.removeprefix("ml-assets-scoring-").replace("-", "_") in container["command"]


def test_the_api_key_is_mounted_as_a_file():
    [pod] = [pod for name, pod in pods(rendered("production")) if "scoring" in name]
    [container] = pod["spec"]["containers"]
    assert {"name": "ML_ASSETS_API_KEY_FILE", "value": "/etc/ml-assets/api-key"} in container["env"]
    assert {
        "name": "api-key",
        "secret": {"secretName": "ml-assets-api-key", "items": [{"key": "api-key", "path": "api-key"}]},
    } in pod["spec"]["volumes"]


def test_a_changed_environment_restarts_the_pods_that_read_it():
    def annotations(**environment: str) -> set[str]:
        return {
            pod["metadata"]["annotations"]["checksum/environment"]
            for _, pod in pods(render(our_values("laptop", environment=environment)))
        }

    assert annotations() != annotations(ML_ASSETS_LAKE="s3://another/lake")


def test_every_container_has_default_requests_and_limits_for_the_quota():
    [limits] = of_kind(rendered("laptop"), "LimitRange")
    [quota] = of_kind(rendered("laptop"), "ResourceQuota")
    [container] = limits["spec"]["limits"]
    counted = {name.split(".")[1] for name in quota["spec"]["hard"] if name.split(".")[-1] in ("cpu", "memory")}
    assert counted <= set(container["defaultRequest"]) & set(container["default"])


@pytest.mark.parametrize("place", PLACES)
def test_mlflow_accepts_the_host_names_of_its_clients(place):
    """Use MLflow's own check of the Host header, which probes bypass."""
    from urllib.parse import urlsplit

    from mlflow.server.security_utils import is_allowed_host_header

    [container] = [
        container
        for name, pod in pods(rendered(place))
        if name == "ml-assets-mlflow"
        for container in pod["spec"]["containers"]
    ]
    [hosts] = [
        argument.removeprefix("--allowed-hosts=").split(",")
        for argument in container["args"]
        if argument.startswith("--allowed-hosts=")
    ]
    [environment] = [
        config_map["data"]
        for config_map in of_kind(rendered(place), "ConfigMap")
        if config_map["metadata"]["name"] == "ml-assets-environment"
    ]
    host_of_clients = urlsplit(environment["MLFLOW_TRACKING_URI"]).netloc
    for host in (host_of_clients, "ml-assets-mlflow.ml-assets.svc.cluster.local:5000", "localhost:5000"):
        assert is_allowed_host_header(hosts, host), host
    assert not is_allowed_host_header(hosts, "elsewhere.example.com")
