"""Ways into the cluster, to MLflow and to the scoring service; and out of it, to an MLflow elsewhere."""

from typing import Any

import jsonschema
import pytest

from ml_assets_tests.helm.charts import EVERYTHING, Manifest, of_kind, our_values, pods, render

MANIFESTS = render(our_values("production", **EVERYTHING))
# https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec, the fields that the chart sets.
HTTP_ROUTE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["parentRefs", "hostnames", "rules"],
    "properties": {
        "parentRefs": {"type": "array", "minItems": 1, "maxItems": 32},
        "hostnames": {"type": "array", "maxItems": 16, "items": {"type": "string", "pattern": r"^[a-z0-9.-]{1,253}$"}},
        "rules": {
            "type": "array",
            "maxItems": 16,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "matches": {
                        "items": {
                            "properties": {
                                "path": {
                                    "properties": {
                                        "type": {"enum": ["Exact", "PathPrefix", "RegularExpression"]},
                                        "value": {"type": "string"},
                                    },
                                    "additionalProperties": False,
                                }
                            }
                        }
                    },
                    "backendRefs": {
                        "items": {
                            "required": ["name", "port"],
                            "additionalProperties": False,
                            "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
                        }
                    },
                },
            },
        },
    },
}


def ports(service: str) -> dict[str, int]:
    [service_ports] = [
        manifest["spec"]["ports"]
        for manifest in of_kind(MANIFESTS, "Service")
        if manifest["metadata"]["name"] == service
    ]
    return {port["name"]: port["port"] for port in service_ports}


def test_no_route_leads_into_the_cluster_unless_it_is_enabled():
    kinds = {manifest["kind"] for manifest in render(our_values("production"))}
    assert not kinds & {"Ingress", "HTTPRoute"}


def test_each_ingress_leads_to_a_service_and_each_model_has_its_own_host():
    hosts = {}
    for ingress in of_kind(MANIFESTS, "Ingress"):
        [rule] = ingress["spec"]["rules"]
        [path] = rule["http"]["paths"]
        backend = path["backend"]["service"]
        assert backend["port"]["name"] in ports(backend["name"])
        hosts[rule["host"]] = backend["name"]
    assert hosts["mlflow.example.com"] == "ml-assets-mlflow"
    assert hosts["fraud-detection.scoring.example.com"] == "ml-assets-scoring-fraud-detection"
    assert len(hosts) == 3


def test_each_route_of_the_gateway_api_leads_to_a_port_of_a_service():
    routes = of_kind(MANIFESTS, "HTTPRoute")
    assert len(routes) == 3
    for route in routes:
        jsonschema.validate(route["spec"], HTTP_ROUTE)
        [reference] = route["spec"]["rules"][0]["backendRefs"]
        assert reference["port"] in ports(reference["name"]).values()


def test_mlflow_accepts_the_hosts_of_its_routes():
    [mlflow] = [pod for name, pod in pods(MANIFESTS) if name == "ml-assets-mlflow"]
    [hosts] = [text for text in mlflow["spec"]["containers"][0]["args"] if text.startswith("--allowed-hosts=")]
    assert {"mlflow.example.com", "mlflow.internal"} <= set(hosts.split("=")[1].split(","))


@pytest.fixture(scope="module")
def elsewhere() -> list[Manifest]:
    peers: Any = [{"ipBlock": {"cidr": "10.1.0.0/16"}}]
    return render(
        our_values(
            "laptop",
            mlflow={"enabled": False, "uri": "https://mlflow.example.com"},
            network={"mlflow": {"peers": peers}},
        )
    )


def test_an_mlflow_elsewhere_is_named_to_every_part_and_none_is_installed(elsewhere):
    [environment] = [
        config for config in of_kind(elsewhere, "ConfigMap") if "environment" in config["metadata"]["name"]
    ]
    assert environment["data"]["MLFLOW_TRACKING_URI"] == "https://mlflow.example.com"
    assert [name for name, _ in pods(elsewhere) if "mlflow" in name] == []


def test_those_that_use_mlflow_may_connect_to_it_elsewhere(elsewhere):
    to_mlflow = {"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "ports": [{"protocol": "TCP", "port": 443}]}
    open_to = {
        policy["metadata"]["name"]
        for policy in of_kind(elsewhere, "NetworkPolicy")
        if to_mlflow in policy["spec"].get("egress", [])
    }
    assert open_to == {f"ml-assets-{name}" for name in ("code-server", "run", "step", "scoring")}
