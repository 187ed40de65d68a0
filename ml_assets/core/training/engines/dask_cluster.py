"""The Dask cluster of a step: already running, created from local processes, or created on Kubernetes."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ml_assets.core.kubernetes.memory_sizing import to_bytes
from ml_assets.core.kubernetes.pod_spec import GPU, avoid_gpu_nodes, node_selector, tolerations
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.compute import Compute, MemoryRule
from ml_assets.core.model_spec.dask_cluster import DaskCluster, Kubernetes
from ml_assets.core.training.engines.operator_cluster import ClusterUnavailable, operator_cluster

if TYPE_CHECKING:
    from distributed import Client

SECONDS_TO_CONNECT, SECONDS_FOR_WORKERS = 30, 600
# A cluster whose training step was killed shuts down by itself after this time.
SECONDS_IDLE = 900
LABELS = {"ml-assets/part": "dask"}
# The settings of a container for the restricted pod security standard, with a read-only root file system.
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Use:
    """The use of a cluster.

    settings: the cluster. field: the field of the specification that describes it. compute: the resources of each
    worker on Kubernetes, and the CPUs that local workers share. purpose: its purpose in messages, such as `training`.
    """

    settings: DaskCluster
    field: str
    compute: Compute
    purpose: str


class WorkerExecutor(Executor):
    """The executor of a client; its functions and arguments are unpickled only on workers (see `for_workers`)."""

    def __init__(self, client: "Client"):
        self._executor = client.get_executor()

    def submit(self, function: Callable, /, *arguments: Any) -> Future:
        """Call a function on a worker."""
        return self._executor.submit(for_workers(partial(function, *arguments)))


def for_workers(function: Callable) -> Callable:
    """Wrap a function so that it is unpickled only on workers.

    The scheduler unpickles submitted tasks. It has no credentials, so unpickling an object that opens the lake would
    fail there.
    """
    from distributed.protocol.pickle import dumps

    return partial(_call_pickled, dumps(function))


def _call_pickled(pickled: bytes, *arguments: Any) -> Any:
    from distributed.protocol.pickle import loads

    return loads(pickled)(*arguments)


def for_training(spec: ModelSpec) -> Use:
    """Return the use of a cluster for training the models of a specification."""
    return Use(spec.training.dask, "training.dask", spec.compute, "training")


@contextmanager
def open_cluster(
    name: str,
    use: Use,
    log: Callable[[str], None],
    seconds_to_connect: float = SECONDS_TO_CONNECT,
    seconds_for_workers: float = SECONDS_FOR_WORKERS,
) -> "Iterator[Client]":
    """Open a client of a cluster as soon as the cluster has the specified number of workers. A created cluster is
    removed afterwards.

    Args:
        name: name of the model, for the message.
        use: the cluster.
        log: receives a message about the cluster.
        seconds_to_connect: time within which the scheduler must answer.
        seconds_for_workers: time within which the workers must start.

    Raises:
        ClusterUnavailable: when a package of the extra dask is missing, no scheduler answers within
            `seconds_to_connect`, or the workers have not started within `seconds_for_workers`.
    """
    settings = use.settings
    with _needs_extra(use.field):
        from distributed import Client

    with _created_cluster(use, seconds_for_workers) as cluster:
        try:
            client = Client(cluster or settings.address, timeout=seconds_to_connect)
        except (OSError, TimeoutError) as error:
            raise ClusterUnavailable(
                f"{use.field}: no scheduler answers at {settings.address} within {seconds_to_connect:g} s ({error}); "
                "check the address, and that the network allows connections to it"
            ) from error
        with client:
            address = client.scheduler_info(n_workers=0)["address"]
            try:
                client.wait_for_workers(settings.workers, timeout=seconds_for_workers)
            except TimeoutError as error:
                workers = f"{len(client.nthreads())} of the {settings.workers} specified workers"
                raise ClusterUnavailable(
                    f"{use.field}: the cluster at {address} has {workers} after {seconds_for_workers:g} s; "
                    f"start more of them, or lower {use.field}.workers"
                ) from error
            # The client returns coroutines only in asynchronous mode.
            threads: Any = client.nthreads()
            workers = f"{len(threads)} Dask workers with {sum(threads.values())} threads"
            log(f"{name}: {use.purpose} on {workers} at {address}")
            yield client


@contextmanager
def _created_cluster(use: Use, seconds: float) -> Iterator[Any]:
    """Create a cluster for one step; None if the specification has the address of a running one."""
    settings = use.settings
    if settings.address is not None:
        yield None
        return
    if settings.kubernetes is not None:
        kubernetes = settings.kubernetes
        with _needs_extra(use.field):
            description = cluster_on_kubernetes(
                f"ml-assets-{uuid4().hex[:12]}", kubernetes, settings.workers, use.compute
            )
        with operator_cluster(description, kubernetes.namespace, use.field, seconds) as cluster:
            yield cluster
        return
    from distributed import LocalCluster

    threads = max(1, use.compute.cpu // settings.workers)
    with LocalCluster(
        n_workers=settings.workers, threads_per_worker=threads, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def cluster_on_kubernetes(name: str, settings: Kubernetes, workers: int, compute: Compute) -> dict:
    """Build the DaskCluster resource from which the Dask operator creates a cluster.

    Every worker and the scheduler get the resources of `compute`; of a memory rule they get the maximum, because the
    rule is for the input of the whole cluster. Only workers get GPUs, one each, on the training nodes; pods without
    GPUs avoid these nodes. Pods meet the restricted pod security standard and have the label that the network policies
    select.
    """
    with _needs_extra("a Dask cluster on Kubernetes"):
        from dask_kubernetes.operator import make_cluster_spec

    memory = compute.memory.maximum if isinstance(compute.memory, MemoryRule) else compute.memory
    quantities = {"cpu": str(compute.cpu), "memory": memory}
    resources = {"requests": quantities, "limits": quantities}
    # Without an explicit limit, Dask takes a share of the node's memory in proportion to its threads.
    command = f"dask worker --nthreads {compute.cpu} --memory-limit {to_bytes(memory)}"
    cluster = make_cluster_spec(name, settings.image, workers, resources, [], command, idle_timeout=SECONDS_IDLE)
    worker, scheduler = cluster["spec"]["worker"], cluster["spec"]["scheduler"]
    for part in (worker, scheduler):
        part["metadata"] = {"labels": dict(LABELS)}
        part["spec"] |= {
            "serviceAccountName": settings.service_account,
            "automountServiceAccountToken": False,
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        }
        part["spec"]["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        part["spec"]["containers"][0] |= {
            "securityContext": RESTRICTED,
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        }
    # The operator's default command, dask-scheduler, no longer exists.
    scheduler["spec"]["containers"][0]["args"][:1] = ["dask", "scheduler"]
    container = worker["spec"]["containers"][0]
    container["envFrom"] = [{"secretRef": {"name": secret}} for secret in settings.secrets]
    for part in (scheduler,) if compute.gpu else (scheduler, worker):
        part["spec"]["affinity"] = _camel(avoid_gpu_nodes(compute))
    if compute.gpu:
        with_gpu = {**quantities, GPU: "1"}
        container["resources"] = {"requests": with_gpu, "limits": with_gpu}
        worker["spec"]["nodeSelector"] = node_selector(compute)
        worker["spec"]["tolerations"] = [
            toleration.model_dump(exclude_none=True) for toleration in tolerations(compute)
        ]
    return cluster


def _camel(value: Any) -> Any:
    """Convert names from snake case, which Dagster accepts, to the camel case of Kubernetes manifests."""
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(part.capitalize() if number else part for number, part in enumerate(name.split("_"))): _camel(item)
        for name, item in value.items()
    }


@contextmanager
def _needs_extra(field: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise ClusterUnavailable(
            f"{field} needs the package {error.name}, which is not installed; install ml_assets with its extra: "
            "pip install 'ml_assets[dask]'"
        ) from error
