"""A real cluster accepts the jobs: `make k8s-test` submits those of a training step with a GPU and of data steps to the
cluster of KUBECONFIG.

The image need not exist, because the tests read only what the API server accepted and where the scheduler placed the
pods. They use a separate namespace, which is removed at the end.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import dagster as dg
import kubernetes
import pytest
from kubernetes.client import ApiClient, ApiException, BatchV1Api, CoreV1Api, SchedulingV1Api

from ml_assets.core.kubernetes.pod_failures import waiting_reason
from ml_assets.core.kubernetes.pod_spec import GPU_NODE_LABELS
from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.kubernetes.jobs import jobs_of, variants

pytestmark = pytest.mark.kubernetes
SECONDS = 60
# Small enough for any cluster, and without the labels of the nodes of one.
COMPUTE: dict[str, Any] = {"cpu": 1, "memory": "64Mi", "gpu": 1, "data": {"cpu": 0.1, "memory": "64Mi"}}


@pytest.fixture(scope="module")
def cluster() -> ApiClient:
    """Open a separate client for the cluster of KUBECONFIG; building the jobs points the common one at no cluster."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG is not set")
    return kubernetes.config.new_client_from_config()


@pytest.fixture(scope="module")
def namespace(cluster: ApiClient) -> Iterator[str]:
    """Create a namespace with the restricted standard, and the service account and priority classes of jobs."""
    core, scheduling = CoreV1Api(cluster), SchedulingV1Api(cluster)
    name = f"ml-assets-test-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    core.create_namespaced_service_account(name, {"metadata": {"name": "ml-assets"}})
    created = []
    for priority in ("ml-assets-training", "ml-assets-data"):
        try:
            scheduling.create_priority_class({"metadata": {"name": priority}, "value": 0, "globalDefault": False})
            created.append(priority)
        except ApiException as error:
            if error.status != 409:
                raise
    yield name
    core.delete_namespace(name)
    for priority in created:
        with suppress(ApiException):
            scheduling.delete_priority_class(priority)


def manifests_of(instance: dg.DagsterInstance, compute: dict[str, Any]) -> dict[str, dict[str, Any]]:
    attributes = variants()["as_it_is"].model_dump(mode="json", by_alias=True)
    manifests = jobs_of(instance, ModelSpec.model_validate({**attributes, "compute": compute}))
    for job in manifests.values():
        # There is no run that could own them.
        job["metadata"].pop("ownerReferences", None)
    return manifests


@pytest.fixture(scope="module")
def manifests(instance):
    return manifests_of(instance, COMPUTE)


def pod_of(cluster: ApiClient, namespace: str, job: str):
    """Wait until the pod of a job has a node, at most `SECONDS`, and return the pod.

    Fails with the events of the job when there is no pod.
    """
    deadline, pod = time.monotonic() + SECONDS, None
    while time.monotonic() < deadline:
        for pod in CoreV1Api(cluster).list_namespaced_pod(namespace, label_selector=f"job-name={job}").items:
            if pod.spec.node_name:
                return pod
        time.sleep(1)
    events = CoreV1Api(cluster).list_namespaced_event(namespace, field_selector=f"involvedObject.name={job}").items
    return pod or pytest.fail(f"{job} got no pod: {[event.message for event in events]}")


def nodes_with_gpus(cluster: ApiClient) -> list[Any]:
    return [
        node for node in CoreV1Api(cluster).list_node().items if int(node.status.allocatable.get("nvidia.com/gpu", 0))
    ]


@pytest.mark.parametrize(("stage", "gpus"), [("trained_model", "1"), ("validated_data", None)])
def test_the_cluster_accepts_the_job_of_a_step(cluster, namespace, manifests, stage, gpus):
    accepted = BatchV1Api(cluster).create_namespaced_job(namespace, manifests[stage])
    pod = pod_of(cluster, namespace, accepted.metadata.name)
    limits, requests = pod.spec.containers[0].resources.limits, pod.spec.containers[0].resources.requests
    print(f"\n{stage}: the API server accepted {accepted.metadata.name} with {requests} (limits {limits})")
    placed = (
        f"its pod is on node {pod.spec.node_name}"
        if pod.spec.node_name
        else f"its pod has no node after {SECONDS} s: {waiting_reason(pod.to_dict())}"
    )
    print(f"{stage}: {placed}")
    assert accepted.spec.backoff_limit == 0
    assert limits.get("nvidia.com/gpu") == gpus
    assert pod.spec.containers[0].security_context.run_as_non_root
    if gpus:
        # A cluster may be full; it may not put the pod on a node without GPUs.
        assert pod.spec.node_name in (None, *(node.metadata.name for node in nodes_with_gpus(cluster)))


def test_a_pod_that_must_avoid_nodes_with_gpus_is_on_none(cluster, namespace, instance):
    job = manifests_of(instance, {**COMPUTE, "data": {**COMPUTE["data"], "avoid_gpu_nodes": "require"}})["features"]
    accepted = BatchV1Api(cluster).create_namespaced_job(namespace, job)
    pod = pod_of(cluster, namespace, accepted.metadata.name)
    gpu_nodes = [
        node.metadata.name
        for node in nodes_with_gpus(cluster)
        if set(GPU_NODE_LABELS) & set(node.metadata.labels)
        or "nvidia.com/gpu" in [taint.key for taint in node.spec.taints or []]
    ]
    print(f"\nfeatures: nodes known for their GPUs are {gpu_nodes}; its pod is on {pod.spec.node_name}")
    assert pod.spec.node_name not in gpu_nodes
