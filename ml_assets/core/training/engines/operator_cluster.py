"""Creation of a Dask cluster by the Dask operator on Kubernetes, with a deadline, and its removal."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

SECONDS_BETWEEN_LOOKS = 0.5


class ClusterUnavailable(Exception):
    """No Dask cluster is available; the message says what to do."""


@contextmanager
def operator_cluster(description: Mapping[str, Any], namespace: str, field: str, seconds: float) -> Iterator[Any]:
    """Create a cluster, and remove it afterwards.

    KubeCluster would create it too, and then wait for its phase to be Running. Under load the phase stays Pending: the
    operator sets Running when it sees the scheduler's service, and may set Pending later, when it has created the
    workers. Here the readiness of the scheduler's pod decides, and KubeCluster only connects to the existing cluster.

    Args:
        description: the DaskCluster resource.
        namespace: the namespace of the cluster.
        field: the field of the specification that describes the cluster, for messages.
        seconds: time within which the scheduler must be ready.

    Raises:
        ClusterUnavailable: when the resource cannot be created, or the scheduler is not ready in time.
    """
    import kr8s
    from dask_kubernetes.operator import KubeCluster
    from kr8s.objects import new_class

    resource = new_class("DaskCluster", "kubernetes.dask.org/v1", asyncio=False)(dict(description), namespace=namespace)
    try:
        resource.create()
    except kr8s.ServerError as error:
        raise ClusterUnavailable(f"{field}: {_describe_refusal(error, namespace)}") from error
    try:
        _wait_for_scheduler(resource.name, namespace, field, seconds)
        with KubeCluster.from_name(resource.name, namespace=namespace, quiet=True) as cluster:
            yield cluster
    finally:
        with suppress(kr8s.NotFoundError):
            resource.delete()


def _describe_refusal(error: Any, namespace: str) -> str:
    status = error.response.status_code if error.response is not None else None
    if status == 404:
        return (
            f"Kubernetes knows no DaskCluster in the namespace {namespace}; install the Dask operator "
            "(https://kubernetes.dask.org), or correct the namespace"
        )
    if status == 403:
        return (
            f"this step may not create a DaskCluster in the namespace {namespace} ({error}); set dask.enabled in the "
            "values of the chart"
        )
    return f"Kubernetes refused the DaskCluster ({error})"


def _wait_for_scheduler(name: str, namespace: str, field: str, seconds: float) -> None:
    from kr8s.objects import Pod

    labels = {"dask.org/cluster-name": name, "dask.org/component": "scheduler"}
    deadline = time.monotonic() + seconds
    while True:
        pods: list[Any] = list(Pod.list(namespace=namespace, label_selector=labels))
        if any(_is_ready(pod.raw) for pod in pods):
            return
        if time.monotonic() > deadline:
            state = _describe_pod(pods[0].raw) if pods else "it has no pod; is the Dask operator running?"
            raise ClusterUnavailable(
                f"{field}: the scheduler of {name} is not ready after {seconds:g} s: {state}; describe its pod"
            ) from TimeoutError()
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _describe_pod(pod: Mapping[str, Any]) -> str:
    """Describe the state of a pod, with the reason from Kubernetes if there is one."""
    status = pod.get("status", {})
    waiting = [container.get("state", {}).get("waiting", {}) for container in status.get("containerStatuses", [])]
    conditions = [condition for condition in status.get("conditions", []) if condition["status"] == "False"]
    reasons = [
        f"{entry['reason']}: {entry['message']}" if entry.get("message") else entry["reason"]
        for entry in [*waiting, *conditions]
        if entry.get("reason")
    ]
    return f"its pod {pod['metadata']['name']} is {status.get('phase')}{f' ({reasons[0]})' if reasons else ''}"
