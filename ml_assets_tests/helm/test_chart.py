"""Our chart, linted and rendered by Helm's own engine."""

import ast
import base64
import json

import helm_python
import kubernetes_validate
import pytest

from ml_assets_tests.helm.charts import (
    CHART,
    EVERYTHING,
    LAPTOP,
    PLACES,
    dagster_values,
    known_to,
    of_kind,
    our_values,
    pods,
    render,
    rendered,
    validate,
)
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods

# The oldest version that the chart allows and that has schemas here, and the newest.
KUBERNETES = ("1.27", "1.37")
BETWEEN = [f"1.{minor}" for minor in range(28, 37)]
CASES = {
    **{place: our_values(place) for place in PLACES},
    "nothing optional": our_values(
        "laptop",
        mlflow={"enabled": False, "uri": "https://mlflow.example.com"},
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
    "no key, no admission policy, Dask": our_values(
        "laptop", scoring={"requireApiKey": False}, admission={"enabled": False}, dask={"enabled": True}
    ),
    "admission for Dask and more secrets": our_values(
        "laptop", admission={"secrets": ["warehouse"], "serviceAccounts": ["fraud-detection"]}, dask={"enabled": True}
    ),
}
CASES["everything"] = our_values("production", **EVERYTHING)
API_KEY_SECRET = "ml-assets-scoring-api-key"
# Resources of the Prometheus operator and of the Gateway API: test_monitoring.py and workloads/test_routes.py.
NOT_KUBERNETES = {"ServiceMonitor", "PrometheusRule", "HTTPRoute"}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())
def test_strict_helm_lint_passes(values):
    lint_result = helm_python.lint(CHART, values)
    assert lint_result["errors"] == []
    # Severity 1 is information: a chart without an icon. Warnings, 2, are what `--strict` refuses.
    assert [message for message in lint_result["messages"] if message["severity"] > 1] == []


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())
def test_every_manifest_is_valid_for_kubernetes(values, version):
    manifests = render(values)
    for manifest in known_to(version, manifests):
        if manifest["kind"] not in NOT_KUBERNETES:
            validate(manifest, version)
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests]
    assert len(names) == len(set(names))


@pytest.mark.slow
@pytest.mark.parametrize("version", BETWEEN)
def test_a_chart_with_every_option_is_valid_for_the_versions_between(version):
    for manifest in known_to(version, render(CASES["everything"])):
        if manifest["kind"] not in NOT_KUBERNETES:
            validate(manifest, version)


@pytest.mark.parametrize("version", KUBERNETES)
def test_manifests_of_the_laptop_are_valid_for_kubernetes(version):
    for manifest in LAPTOP:
        validate(manifest, version)


def test_the_script_of_the_laptop_that_lands_files_imports_what_exists():
    [job] = [manifest for manifest in LAPTOP if manifest["metadata"]["name"] == "landing" and manifest["kind"] == "Job"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    [script] = container["args"]
    imports = [node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports
    exec(compile(ast.Module(imports, []), "landing", "exec"), {})


def test_a_field_that_kubernetes_does_not_know_is_refused():
    [service] = [
        manifest
        for manifest in rendered("laptop")
        if manifest["metadata"]["name"] == "ml-assets-mlflow" and manifest["kind"] == "Service"
    ]
    with pytest.raises(kubernetes_validate.ValidationError, match="sesionAffinity"):
        validate({**service, "spec": {**service["spec"], "sesionAffinity": "None"}}, KUBERNETES[1])


@pytest.mark.parametrize("place", PLACES)
def test_the_chart_refers_to_secrets_and_creates_only_the_key_of_the_scoring_service(place):
    created = [secret["metadata"]["name"] for secret in of_kind(rendered(place), "Secret")]
    assert created == ([API_KEY_SECRET] if place == "laptop" else [])
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
    # The webservers are pods of Dagster's chart. Those of another release beside it would have two budgets, and
    # Kubernetes evicts no pod with two.
    webserver = chart_pods(dagster_values(place))["webserver"]["metadata"]["labels"]
    labels |= {
        "ml-assets-webserver": webserver,
        "another release": {**webserver, "app.kubernetes.io/instance": "another"},
    }
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


@pytest.mark.parametrize(
    ("scoring", "secret", "is_created"),
    [
        ({}, API_KEY_SECRET, True),
        ({"apiKeySecret": "ours"}, "ours", False),
        ({"requireApiKey": False}, None, False),
        ({"requireApiKey": False, "apiKeySecret": "ours"}, None, False),
    ],
)
def test_the_scoring_service_reads_a_key_of_the_chart_or_of_your_own_from_a_file(scoring, secret, is_created):
    manifests = render(our_values("laptop", scoring=scoring))
    created = {made["metadata"]["name"]: made["metadata"]["annotations"] for made in of_kind(manifests, "Secret")}
    assert created == ({API_KEY_SECRET: {"helm.sh/hook": "pre-install,pre-upgrade"}} if is_created else {})
    [pod] = [pod for name, pod in pods(manifests) if "scoring" in name]
    [container] = pod["spec"]["containers"]
    key_file = {"name": "ML_ASSETS_API_KEY_FILE", "value": "/etc/ml-assets/api-key"}
    assert (key_file in container.get("env", [])) == (secret is not None)
    volume = {"name": "api-key", "secret": {"secretName": secret, "items": [{"key": "api-key", "path": "api-key"}]}}
    assert (volume in pod["spec"]["volumes"]) == (secret is not None)
    assert "api-key" in str(pod) or secret is None


def test_the_key_is_long_and_random_and_none_is_made_where_nothing_is_served():
    keys = {base64.b64decode(of_kind(render(our_values("laptop")), "Secret")[0]["data"]["api-key"]) for _ in range(2)}
    assert len(keys) == 2
    assert all(len(key) == 40 and key.isalnum() for key in keys)
    assert of_kind(render(our_values("laptop", scoring={"models": []})), "Secret") == []


@pytest.mark.parametrize(
    ("scoring", "text"),
    [
        ({}, f"get secret {API_KEY_SECRET} --output jsonpath='{{.data.api-key}}' | base64 --decode"),
        ({"apiKeySecret": "ours"}, "get secret ours --output"),
        ({"requireApiKey": False}, "needs no key"),
    ],
)
def test_the_notes_say_how_to_read_the_key(scoring, text):
    with helm_python.Chart.load(CHART) as chart:
        rendered_files = chart.render(our_values("laptop", scoring=scoring), name="ml-assets", namespace="ml-assets")
    [notes] = [content for name, content in rendered_files.items() if name.endswith("NOTES.txt")]
    assert text in notes


def test_the_limits_of_the_scoring_service_are_options_of_its_command():
    changes = {"limits": {"max-connections": 2_000_000, "head-seconds": 2.5}, "trustedProxies": "10.0.0.0/8"}
    [pod] = [pod for name, pod in pods(render(our_values("laptop", scoring=changes))) if "scoring" in name]
    [container] = pod["spec"]["containers"]
    assert {"--max-connections=2000000", "--head-seconds=2.5", "--max-body-bytes=1000000"} <= set(container["args"])
    assert {"name": "FORWARDED_ALLOW_IPS", "value": "10.0.0.0/8"} in container["env"]


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


def test_no_pod_takes_all_of_the_disk_of_a_node_in_production():
    [limits] = of_kind(rendered("production"), "LimitRange")
    [container] = limits["spec"]["limits"]
    assert set(container["defaultRequest"]) == set(container["default"]) == {"cpu", "memory", "ephemeral-storage"}


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
