"""Network policies: everything is closed, and what is open is between pods that exist, on ports that they listen on."""

from typing import Any

import pytest

from ml_assets_tests.helm.charts import (
    LAPTOP,
    PLACES,
    Manifest,
    containers,
    dagster_values,
    of_kind,
    our_values,
    pods,
    render,
    rendered,
)
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods

MIGRATE = "dagster-dagster-webserver-instance-migrate"
DNS, HTTPS = 53, 443


def every_pod(place: str) -> dict[str, dict[str, str]]:
    """The labels of every pod of a place by its name, those of Dagster's chart and runs included."""
    values = dagster_values(place)
    found = {name: pod["metadata"]["labels"] for name, pod in [*pods(rendered(place)), *chart_pods(values).items()]}
    found["run"] = {"app.kubernetes.io/name": "dagster", **values["runLauncher"]["config"]["k8sRunLauncher"]["labels"]}
    # What Kubernetes gives the pods of a job; the longer name since 1.27.
    found["migrate"] = {"job-name": MIGRATE}
    return {**found, **({name: pod["metadata"]["labels"] for name, pod in pods(LAPTOP)} if place == "laptop" else {})}


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    assert {one["operator"] for one in expressions} <= {"In"}
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(one["key"]) in one["values"] for one in expressions
    )


def policies(place: str) -> list[Manifest]:
    return of_kind(rendered(place), "NetworkPolicy") + (of_kind(LAPTOP, "NetworkPolicy") if place == "laptop" else [])


def may_talk(place: str, sender: str, receiver: str, port: int) -> bool:
    """Whether some policy lets the sender out to the receiver, and some lets the receiver take it."""
    labels = every_pod(place)

    def is_open(pod: str, peer: str, direction: str, side: str) -> bool:
        rules = [
            rule
            for one in policies(place)
            if matches(one["spec"]["podSelector"], labels[pod])
            for rule in one["spec"].get(direction, [])
        ]
        return any(
            port in [one["port"] for one in rule["ports"]]
            and any(
                "podSelector" in one and "namespaceSelector" not in one and matches(one["podSelector"], labels[peer])
                for one in rule[side]
            )
            for rule in rules
        )

    return is_open(sender, receiver, "egress", "to") and is_open(receiver, sender, "ingress", "from")


@pytest.mark.parametrize("place", PLACES)
def test_everything_is_closed_that_is_not_opened(place):
    [deny] = [one for one in policies(place) if one["metadata"]["name"] == "default-deny"]
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    # A rule without peers or ports would be open to everybody.
    for policy in policies(place):
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(direction, []):
                assert rule[side], policy["metadata"]["name"]
                assert rule["ports"], policy["metadata"]["name"]


@pytest.mark.parametrize("place", PLACES)
def test_every_policy_and_every_peer_in_the_namespace_is_about_pods_that_exist(place):
    labels = every_pod(place)
    # Clients of others: they say so by their label.
    strangers = [{"matchLabels": {"ml-assets/scoring-client": "true"}}]
    for policy in policies(place):
        assert any(matches(policy["spec"]["podSelector"], one) for one in labels.values()), policy["metadata"]["name"]
        peers = [peer for rule in policy["spec"].get("ingress", []) for peer in rule["from"]] + [
            peer for rule in policy["spec"].get("egress", []) for peer in rule["to"]
        ]
        for peer in peers:
            selector = peer.get("podSelector")
            if selector and "namespaceSelector" not in peer and selector not in strangers:
                assert any(matches(selector, one) for one in labels.values()), (policy["metadata"]["name"], selector)


@pytest.mark.parametrize("place", PLACES)
def test_every_pod_has_a_policy_of_its_own(place):
    own = [one for one in policies(place) if one["spec"]["podSelector"]]
    for name, labels in every_pod(place).items():
        assert len([one for one in own if matches(one["spec"]["podSelector"], labels)]) == 1, name


@pytest.mark.parametrize("place", PLACES)
def test_ports_that_are_opened_to_pods_are_those_that_they_listen_on(place):
    listening = {
        name: {port["containerPort"] for container in containers(pod) for port in container.get("ports", [])}
        for name, pod in [*pods(rendered(place)), *(pods(LAPTOP) if place == "laptop" else [])]
    }
    values = dagster_values(place)
    listening |= {one["name"]: {one["port"]} for one in values["dagster-user-deployments"]["deployments"]}
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
def test_parts_reach_what_they_need(place):
    for sender in ("webserver", "webserver-read-only", "daemon"):
        assert may_talk(place, sender, "ml-assets", 4000)
    for sender in ("run", "ml-assets", "ml-assets-scoring-fraud-detection"):
        assert may_talk(place, sender, "ml-assets-mlflow", 5000)
    if place == "laptop":
        for sender in ("webserver", "webserver-read-only", "daemon", "ml-assets", "run", "ml-assets-mlflow", "migrate"):
            assert may_talk(place, sender, "postgresql", 5432), sender
        for sender in (
            "webserver",
            "daemon",
            "ml-assets",
            "run",
            "ml-assets-mlflow",
            "ml-assets-scoring-fraud-detection",
            "landing",
        ):
            assert may_talk(place, sender, "minio", 9000), sender


@pytest.mark.parametrize("place", PLACES)
def test_parts_do_not_reach_what_they_do_not_need(place):
    for sender in ("ml-assets-scoring-fraud-detection", "run", "ml-assets-mlflow", "migrate"):
        assert not may_talk(place, sender, "ml-assets", 4000)
    for sender in ("webserver", "daemon"):
        assert not may_talk(place, sender, "ml-assets-mlflow", 5000)
    if place == "laptop":
        assert not may_talk(place, "ml-assets-scoring-fraud-detection", "postgresql", 5432)
        assert not may_talk(place, "landing", "postgresql", 5432)
        assert not may_talk(place, "migrate", "minio", 9000)


@pytest.mark.parametrize("place", PLACES)
def test_nobody_goes_out_into_the_world_but_by_https_and_to_kubernetes(place):
    for policy in policies(place):
        for rule in policy["spec"].get("egress", []):
            if any(peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" for peer in rule["to"]):
                assert {port["port"] for port in rule["ports"]} <= {HTTPS, 6443}, policy["metadata"]["name"]


@pytest.mark.parametrize(("target", "sender"), [("notifications", "code-server"), ("telemetry", "run")])
def test_the_code_server_alone_sends_notifications_and_runs_alone_push_metrics(target, sender):
    elsewhere = [{"ipBlock": {"cidr": "198.51.100.0/24"}}]
    manifests = render(our_values("laptop", network={target: {"ports": [587], "peers": elsewhere}}))
    open_to = {"to": elsewhere, "ports": [{"protocol": "TCP", "port": 587}]}
    may = [
        one["metadata"]["name"]
        for one in of_kind(manifests, "NetworkPolicy")
        if open_to in one["spec"].get("egress", [])
    ]
    assert may == [sender]


def test_prometheus_is_let_in_only_where_it_is_asked_for():
    def peers(enabled: bool) -> list[Any]:
        manifests = render(our_values("laptop", monitoring={"enabled": enabled}))
        [policy] = [one for one in of_kind(manifests, "NetworkPolicy") if one["metadata"]["name"] == "scoring"]
        return [peer for rule in policy["spec"]["ingress"] for peer in rule["from"]]

    prometheus = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert prometheus in peers(True)
    assert prometheus not in peers(False)
