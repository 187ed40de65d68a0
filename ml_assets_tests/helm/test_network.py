"""Network policies: they deny by default, and allow traffic between pods that exist on ports that these listen on."""

import ipaddress
from typing import Any

import pytest

from ml_assets_tests.helm.charts import (
    LAPTOP,
    PLACES,
    Manifest,
    containers,
    dagster_values,
    merged,
    of_kind,
    our_values,
    pods,
    read,
    render,
    rendered,
)
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods

MIGRATE = "dagster-dagster-webserver-instance-migrate"
VALUES = "ml-assets/values.yaml"


def every_pod(place: str) -> dict[str, dict[str, str]]:
    """Return the labels of every pod of a place by name, including those of Dagster's chart and of runs."""
    values = dagster_values(place)
    labels = {name: pod["metadata"]["labels"] for name, pod in [*pods(rendered(place)), *chart_pods(values).items()]}
    labels["run"] = {"app.kubernetes.io/name": "dagster", **values["runLauncher"]["config"]["k8sRunLauncher"]["labels"]}
    # dagster-k8s adds this label to the pod of a step.
    labels["step"] = {**labels["run"], "dagster/op": "fraud_detection__features"}
    # Kubernetes adds this label to the pods of a job; since 1.27 also one with a longer name.
    labels["migrate"] = {"job-name": MIGRATE}
    return {**labels, **({name: pod["metadata"]["labels"] for name, pod in pods(LAPTOP)} if place == "laptop" else {})}


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    operators = {
        "In": lambda expression: labels.get(expression["key"]) in expression["values"],
        "Exists": lambda expression: expression["key"] in labels,
        "DoesNotExist": lambda expression: expression["key"] not in labels,
    }
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        operators[expression["operator"]](expression) for expression in expressions
    )


def name_of(policy: Manifest) -> str:
    """Return the name of a policy without the prefix of the release."""
    return policy["metadata"]["name"].removeprefix("ml-assets-")


def policies(place: str) -> list[Manifest]:
    return of_kind(rendered(place), "NetworkPolicy") + (of_kind(LAPTOP, "NetworkPolicy") if place == "laptop" else [])


def may_talk(place: str, sender: str, receiver: str, port: int) -> bool:
    """Return whether an egress rule of the sender and an ingress rule of the receiver allow the connection."""
    labels = every_pod(place)

    def is_open(pod: str, peer: str, direction: str, side: str) -> bool:
        rules = [
            rule
            for policy in policies(place)
            if matches(policy["spec"]["podSelector"], labels[pod])
            for rule in policy["spec"].get(direction, [])
        ]
        return any(
            port in [open_port["port"] for open_port in rule["ports"]]
            and any(
                "podSelector" in allowed
                and "namespaceSelector" not in allowed
                and matches(allowed["podSelector"], labels[peer])
                for allowed in rule[side]
            )
            for rule in rules
        )

    return is_open(sender, receiver, "egress", "to") and is_open(receiver, sender, "ingress", "from")


@pytest.mark.parametrize("place", PLACES)
def test_all_traffic_is_denied_by_default(place):
    [deny] = [policy for policy in policies(place) if name_of(policy) == "default-deny"]
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    # A rule without peers or ports would allow everything.
    for policy in policies(place):
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(direction, []):
                assert rule[side], policy["metadata"]["name"]
                assert rule["ports"], policy["metadata"]["name"]


@pytest.mark.parametrize("place", PLACES)
def test_every_policy_and_every_peer_in_the_namespace_selects_pods_that_exist(place):
    labels = every_pod(place)
    # Clients from elsewhere are allowed by this label.
    external_clients = [{"matchLabels": {"ml-assets/scoring-client": "true"}}]
    for policy in policies(place):
        name = policy["metadata"]["name"]
        assert any(matches(policy["spec"]["podSelector"], pod_labels) for pod_labels in labels.values()), name
        peers = [peer for rule in policy["spec"].get("ingress", []) for peer in rule["from"]] + [
            peer for rule in policy["spec"].get("egress", []) for peer in rule["to"]
        ]
        for peer in peers:
            selector = peer.get("podSelector")
            if selector and "namespaceSelector" not in peer and selector not in external_clients:
                assert any(matches(selector, pod_labels) for pod_labels in labels.values()), (name, selector)


@pytest.mark.parametrize("place", PLACES)
def test_exactly_one_policy_selects_each_pod(place):
    own = [policy for policy in policies(place) if policy["spec"]["podSelector"]]
    for name, labels in every_pod(place).items():
        assert len([policy for policy in own if matches(policy["spec"]["podSelector"], labels)]) == 1, name


@pytest.mark.parametrize("place", PLACES)
def test_ingress_rules_open_only_ports_that_pods_listen_on(place):
    listening = {
        name: {port["containerPort"] for container in containers(pod) for port in container.get("ports", [])}
        for name, pod in [*pods(rendered(place)), *(pods(LAPTOP) if place == "laptop" else [])]
    }
    values = dagster_values(place)
    listening |= {
        deployment["name"]: {deployment["port"]} for deployment in values["dagster-user-deployments"]["deployments"]
    }
    listening |= {
        name: {values["dagsterWebserver"]["service"]["port"]} for name in ("webserver", "webserver-read-only")
    }
    for policy in policies(place):
        for rule in policy["spec"].get("ingress", []):
            ports = {port["port"] for port in rule["ports"]}
            for name, labels in every_pod(place).items():
                if matches(policy["spec"]["podSelector"], labels):
                    assert ports <= listening[name], (policy["metadata"]["name"], name)


@pytest.mark.parametrize("place", PLACES)
def test_pods_reach_the_services_that_they_need(place):
    for sender in ("webserver", "webserver-read-only", "daemon"):
        assert may_talk(place, sender, "ml-assets", 4000)
    for sender in ("run", "step", "ml-assets", "ml-assets-scoring-fraud-detection"):
        assert may_talk(place, sender, "ml-assets-mlflow", 5000)
    if place == "laptop":
        databases = ("webserver", "webserver-read-only", "daemon", "ml-assets", "run", "step", "ml-assets-mlflow")
        for sender in (*databases, "migrate"):
            assert may_talk(place, sender, "postgresql", 5432), sender
        for sender in (
            "webserver",
            "daemon",
            "ml-assets",
            "run",
            "step",
            "ml-assets-mlflow",
            "ml-assets-scoring-fraud-detection",
            "landing",
        ):
            assert may_talk(place, sender, "minio", 9000), sender


@pytest.mark.parametrize("place", PLACES)
def test_pods_do_not_reach_services_that_they_do_not_need(place):
    for sender in ("ml-assets-scoring-fraud-detection", "run", "step", "ml-assets-mlflow", "migrate"):
        assert not may_talk(place, sender, "ml-assets", 4000)
    for sender in ("webserver", "daemon"):
        assert not may_talk(place, sender, "ml-assets-mlflow", 5000)
    if place == "laptop":
        assert not may_talk(place, "ml-assets-scoring-fraud-detection", "postgresql", 5432)
        assert not may_talk(place, "landing", "postgresql", 5432)
        assert not may_talk(place, "migrate", "minio", 9000)


def egress(place: str, pod: str) -> list[dict[str, Any]]:
    """List the egress rules of a pod, without those for DNS."""
    labels = every_pod(place)[pod]
    selecting = [policy for policy in policies(place) if matches(policy["spec"]["podSelector"], labels)]
    return [rule for policy in selecting if name_of(policy) != "dns" for rule in policy["spec"].get("egress", [])]


@pytest.mark.parametrize("place", PLACES)
def test_no_pod_may_connect_to_every_address(place):
    blocks = [
        (name_of(policy), ipaddress.ip_network(peer["ipBlock"]["cidr"]))
        for policy in policies(place)
        for rule in policy["spec"].get("egress", [])
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    assert blocks
    assert [name for name, block in blocks if not block.is_private] == []
    # Private addresses as a whole: only those of the API server, where nobody has named it.
    assert {name for name, block in blocks if block.prefixlen < 20} <= {"webserver", "daemon", "run"}


@pytest.mark.parametrize("place", PLACES)
def test_only_those_that_create_jobs_reach_the_api_of_kubernetes(place):
    server = merged(read(VALUES), our_values(place))["network"]["kubernetesApi"]
    pods_with_api = {
        pod
        for pod in every_pod(place)
        for rule in egress(place, pod)
        if rule["to"] == server["peers"] and {port["port"] for port in rule["ports"]} == set(server["ports"])
    }
    assert pods_with_api == {"webserver", "webserver-read-only", "daemon", "run"}


def test_a_step_reaches_the_api_of_kubernetes_only_to_create_a_dask_cluster():
    def ports(enabled: bool) -> set[int]:
        manifests = render(our_values("laptop", dask={"enabled": enabled}))
        [policy] = [manifest for manifest in of_kind(manifests, "NetworkPolicy") if name_of(manifest) == "step"]
        return {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}

    assert 6443 not in ports(False)
    assert ports(True) - ports(False) == {443, 6443, 8786, 8787}


def test_without_peers_for_dns_no_address_is_open():
    manifests = render(our_values("laptop", network={"dns": []}))
    [policy] = [policy for policy in of_kind(manifests, "NetworkPolicy") if name_of(policy) == "dns"]
    assert not policy["spec"]["egress"]


@pytest.mark.parametrize("target", ["notifications", "telemetry"])
def test_a_target_without_peers_is_closed_and_not_open_to_all(target):
    manifests = render(our_values("laptop", network={target: {"ports": [4321], "peers": []}}))
    rules = [rule for policy in of_kind(manifests, "NetworkPolicy") for rule in policy["spec"].get("egress", [])]
    assert all(rule["to"] for rule in rules)
    assert 4321 not in {port["port"] for rule in rules for port in rule["ports"]}


@pytest.mark.parametrize(("target", "senders"), [("notifications", ["code-server"]), ("telemetry", ["run", "step"])])
def test_only_the_code_server_sends_notifications_and_only_runs_push_metrics(target, senders):
    receiver = [{"ipBlock": {"cidr": "198.51.100.0/24"}}]
    manifests = render(our_values("laptop", network={target: {"ports": [587], "peers": receiver}}))
    open_to = {"to": receiver, "ports": [{"protocol": "TCP", "port": 587}]}
    allowed_policies = [
        name_of(policy) for policy in of_kind(manifests, "NetworkPolicy") if open_to in policy["spec"].get("egress", [])
    ]
    assert allowed_policies == senders


def test_prometheus_may_connect_only_if_monitoring_is_enabled():
    def peers(enabled: bool) -> list[Any]:
        manifests = render(our_values("laptop", monitoring={"enabled": enabled}))
        [policy] = [manifest for manifest in of_kind(manifests, "NetworkPolicy") if name_of(manifest) == "scoring"]
        return [peer for rule in policy["spec"]["ingress"] for peer in rule["from"]]

    prometheus = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert prometheus in peers(True)
    assert prometheus not in peers(False)
