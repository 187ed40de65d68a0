"""The Dask cluster that a model is trained on: one that is there, one of local processes, or one that is made on
Kubernetes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ml_assets.core.kubernetes.pod_spec import avoid_gpu_nodes
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.compute import Compute, MemoryRule
from ml_assets.core.model_spec.dask_cluster import Kubernetes

if TYPE_CHECKING:
    from distributed import Client

SECONDS_TO_CONNECT, SECONDS_FOR_WORKERS = 30, 600
# A cluster whose training step was killed removes itself.
SECONDS_IDLE = 900
LABELS = {"ml-assets/part": "dask"}
# What the restricted pod-security standard asks of a container, and a root file system that cannot be written.
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class ClusterUnavailable(Exception):
    """There is no Dask cluster to train on; the message says what to do."""


@contextmanager
def open_cluster(
    spec: ModelSpec,
    log: Callable[[str], None],
    seconds_to_connect: float = SECONDS_TO_CONNECT,
    seconds_for_workers: float = SECONDS_FOR_WORKERS,
) -> "Iterator[Client]":
    """A client of the cluster that `training.dask` describes, with as many workers as it asks for. What was made for it
    is removed afterwards.

    Raises:
        ClusterUnavailable: when a package of the extra dask is missing, no scheduler answers within
            `seconds_to_connect`, or the workers have not come within `seconds_for_workers`.
    """
    wanted = spec.training.dask
    with _needs_extra():
        from distributed import Client

    with _made(spec) as cluster:
        try:
            client = Client(cluster or wanted.address, timeout=seconds_to_connect)
        except (OSError, TimeoutError) as error:
            raise ClusterUnavailable(
                f"training.dask: no scheduler answers at {wanted.address} within {seconds_to_connect:g} s ({error}); "
                "check the address, and whether the network lets this process reach it"
            ) from error
        with client:
            where = client.scheduler_info(n_workers=0)["address"]
            try:
                client.wait_for_workers(wanted.workers, timeout=seconds_for_workers)
            except TimeoutError as error:
                there = f"{len(client.nthreads())} of the {wanted.workers} workers asked for"
                raise ClusterUnavailable(
                    f"training.dask: the cluster at {where} has {there} after {seconds_for_workers:g} s; "
                    "start more of them, or lower training.dask.workers"
                ) from error
            # The client's answers are coroutines only where it is asynchronous.
            threads: Any = client.nthreads()
            log(f"{spec.name}: training on {len(threads)} Dask workers with {sum(threads.values())} threads at {where}")
            yield client


@contextmanager
def _made(spec: ModelSpec) -> Iterator[Any]:
    """The cluster that is made for a training; None where there is one."""
    wanted = spec.training.dask
    if wanted.address is not None:
        yield None
        return
    if wanted.kubernetes is not None:
        with _needs_extra():
            from dask_kubernetes.operator import KubeCluster

        description = cluster_on_kubernetes(
            f"ml-assets-{uuid4().hex[:12]}", wanted.kubernetes, wanted.workers, spec.compute
        )
        with KubeCluster(custom_cluster_spec=description, namespace=wanted.kubernetes.namespace, quiet=True) as cluster:
            yield cluster
        return
    from distributed import LocalCluster

    threads = max(1, spec.compute.cpu // wanted.workers)
    with LocalCluster(
        n_workers=wanted.workers, threads_per_worker=threads, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def cluster_on_kubernetes(name: str, wanted: Kubernetes, workers: int, compute: Compute) -> dict:
    """The resource DaskCluster from which the Dask operator makes a cluster: every worker, and the scheduler, gets what
    `compute` says (of a rule for memory the maximum, because the workers share out what the rule counts), GPUs the
    workers only, one each, on the nodes of training. What has none stays off those nodes. Pods meet the restricted
    pod-security standard, and have the label by which network policies know them."""
    with _needs_extra():
        from dask_kubernetes.operator import make_cluster_spec

    memory = compute.memory.maximum if isinstance(compute.memory, MemoryRule) else compute.memory
    quantities = {"cpu": str(compute.cpu), "memory": memory}
    resources = {"requests": quantities, "limits": quantities}
    command = f"dask worker --nthreads {compute.cpu}"
    made = make_cluster_spec(name, wanted.image, workers, resources, [], command, idle_timeout=SECONDS_IDLE)
    worker, scheduler = made["spec"]["worker"], made["spec"]["scheduler"]
    for part in (worker, scheduler):
        part["metadata"] = {"labels": dict(LABELS)}
        part["spec"] |= {
            "serviceAccountName": wanted.service_account,
            "automountServiceAccountToken": False,
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        }
        part["spec"]["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        part["spec"]["containers"][0] |= {
            "securityContext": RESTRICTED,
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        }
    # The program dask-scheduler, by which it is started otherwise, is no longer installed.
    scheduler["spec"]["containers"][0]["args"][:1] = ["dask", "scheduler"]
    container = worker["spec"]["containers"][0]
    container["envFrom"] = [{"secretRef": {"name": secret}} for secret in wanted.secrets]
    for part in (scheduler,) if compute.gpu else (scheduler, worker):
        part["spec"]["affinity"] = _camel(avoid_gpu_nodes(compute))
    if compute.gpu:
        with_gpu = {**quantities, "nvidia.com/gpu": "1"}
        container["resources"] = {"requests": with_gpu, "limits": with_gpu}
        product = {"nvidia.com/gpu.product": compute.gpu_type} if compute.gpu_type else {}
        worker["spec"]["nodeSelector"] = {**product, **compute.node_selector}
        on_gpu_nodes = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
        worker["spec"]["tolerations"] = [
            on_gpu_nodes,
            *[one.model_dump(exclude_none=True) for one in compute.tolerations],
        ]
    return made


def _camel(value: Any) -> Any:
    """Names as Kubernetes writes them in a manifest; Dagster takes them in Python's form as well."""
    if isinstance(value, list):
        return [_camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(part.capitalize() if number else part for number, part in enumerate(name.split("_"))): _camel(one)
        for name, one in value.items()
    }


@contextmanager
def _needs_extra() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise ClusterUnavailable(
            f"training.engine is dask, but the package {error.name} is not installed; install ml_assets with its "
            "extra: pip install 'ml_assets[dask]'"
        ) from error
