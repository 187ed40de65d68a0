"""Dask clusters that training creates: nothing in the chart unless they are enabled, and then exactly the rights and
network policies that they need.
"""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from ml_assets.core.model_spec.compute import Compute
from ml_assets.core.model_spec.dask_cluster import Kubernetes
from ml_assets.core.training.engines.dask_cluster import cluster_on_kubernetes
from ml_assets_tests.helm.charts import (
    LAPTOP,
    PLACES,
    Manifest,
    known_to,
    of_kind,
    our_values,
    render,
    rendered,
    validate,
)
from ml_assets_tests.helm.pod_security import violations
from ml_assets_tests.helm.test_network import matches
from ml_assets_tests.helm.test_placement import NO_GPU_NODE, preferred, required

pytest.importorskip("dask_kubernetes")
CLUSTER = cluster_on_kubernetes("ml-assets-1", Kubernetes(image="ml-assets:1"), 2, Compute(gpu=1))
POD = CLUSTER["spec"]["worker"]["metadata"]["labels"]


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return render(our_values("laptop", dask={"enabled": True}))


def policy(manifests: list[Manifest], name: str) -> Manifest:
    [spec] = [
        manifest["spec"]
        for manifest in of_kind(manifests, "NetworkPolicy")
        if manifest["metadata"]["name"].removeprefix("ml-assets-") == name
    ]
    return spec


@pytest.mark.parametrize("place", PLACES)
def test_the_chart_contains_nothing_of_dask_unless_it_is_enabled(place):
    assert [
        manifest["metadata"]["name"] for manifest in rendered(place) if "dask" in manifest["metadata"]["name"]
    ] == []
    assert not [
        peer
        for rule in policy(rendered(place), "run")["egress"]
        for peer in rule["to"]
        if peer.get("podSelector") == {"matchLabels": POD}
    ]


def test_runs_may_create_and_remove_a_cluster_and_nothing_else(manifests):
    [role] = [manifest for manifest in of_kind(manifests, "Role") if manifest["metadata"]["name"] == "ml-assets-dask"]
    allowed = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert allowed == {
        *(("daskclusters", verb) for verb in ("create", "get", "list", "delete")),
        ("daskworkergroups", "list"),
        ("services", "get"),
        ("services", "list"),
    }
    assert {group for rule in role["rules"] for group in rule["apiGroups"]} == {"kubernetes.dask.org", ""}
    [binding] = [
        manifest for manifest in of_kind(manifests, "RoleBinding") if manifest["metadata"]["name"] == "ml-assets-dask"
    ]
    assert [manifest["name"] for manifest in binding["subjects"]] == ["ml-assets"]


@pytest.mark.parametrize("version", ["1.27", "1.37"])
def test_the_added_manifests_are_valid_for_kubernetes(manifests, version):
    for manifest in known_to(version, manifests):
        validate(manifest, version)


def test_its_pods_reach_each_other_and_the_lake_and_runs_reach_the_scheduler(manifests):
    dask = policy(manifests, "dask")
    assert matches(dask["podSelector"], POD)
    every_port = [{"protocol": "TCP", "port": 1024, "endPort": 65535}]
    to_the_scheduler = [
        {"protocol": "TCP", "port": port["port"]} for port in CLUSTER["spec"]["scheduler"]["service"]["ports"]
    ]
    between_pods, from_outside = dask["ingress"]
    assert between_pods == {"from": [{"podSelector": {"matchLabels": POD}}], "ports": every_port}
    assert {"podSelector": {"matchLabels": {"ml-assets/part": "run"}}} in from_outside["from"]
    assert from_outside["ports"] == to_the_scheduler
    out, lake = dask["egress"]
    assert out == {"to": between_pods["from"], "ports": every_port}
    assert lake["ports"] == [{"protocol": "TCP", "port": 9000}]
    # A step may run in the pod of its run.
    for name in ("run", "step"):
        assert {"to": between_pods["from"], "ports": to_the_scheduler} in policy(manifests, name)["egress"]
    assert any(matches(peer["podSelector"], POD) for peer in policy(LAPTOP, "object-store")["ingress"][0]["from"])


@pytest.mark.parametrize("part", ["worker", "scheduler"])
def test_its_pods_are_accepted_under_the_restricted_standard(part):
    assert violations(CLUSTER["spec"][part]) == []
    [container] = CLUSTER["spec"][part]["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert CLUSTER["spec"][part]["spec"]["automountServiceAccountToken"] is False
    validate(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": part}, "spec": CLUSTER["spec"][part]["spec"]}, "1.37"
    )


@pytest.mark.slow
def test_its_commands_exist():
    containers = [CLUSTER["spec"][part]["spec"]["containers"][0] for part in ("worker", "scheduler")]
    assert {container["args"][0] for container in containers} == {"dask"}
    assert entry_points(group="console_scripts", name="dask")
    process = subprocess.run([sys.executable, "-m", "dask", "--help"], capture_output=True, text=True)
    assert {container["args"][1] for container in containers} <= set(process.stdout.split())


def test_workers_with_gpus_have_the_node_selector_and_tolerations_of_training():
    compute = Compute.model_validate(
        {
            "gpu": 1,
            "gpu_type": "NVIDIA-L4",
            "node_selector": {"zone": "a"},
            "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        }
    )
    cluster = cluster_on_kubernetes("ml-assets-1", Kubernetes(image="ml-assets:1"), 2, compute)["spec"]
    assert cluster["worker"]["spec"]["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-L4", "zone": "a"}
    assert [toleration["key"] for toleration in cluster["worker"]["spec"]["tolerations"]] == [
        "nvidia.com/gpu",
        "dedicated",
    ]
    assert not {"nodeSelector", "tolerations"} & set(cluster["scheduler"]["spec"])


@pytest.mark.parametrize(("gpu", "without_gpus"), [(0, {"scheduler", "worker"}), (1, {"scheduler"})])
@pytest.mark.parametrize("avoid", ["prefer", "require"])
def test_its_pods_without_gpus_avoid_nodes_with_gpus(gpu, without_gpus, avoid):
    compute = Compute.model_validate({"gpu": gpu, "data": {"avoid_gpu_nodes": avoid}})
    cluster = cluster_on_kubernetes("ml-assets-1", Kubernetes(image="ml-assets:1"), 2, compute)["spec"]
    pods = {part: cluster[part]["spec"] for part in ("scheduler", "worker")}
    assert {part for part, pod in pods.items() if "affinity" in pod} == without_gpus
    for part in without_gpus:
        assert (preferred(pods[part]), required(pods[part])) == (
            (NO_GPU_NODE, []) if avoid == "prefer" else ([], NO_GPU_NODE)
        )
        validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": part}, "spec": pods[part]}, "1.37")
