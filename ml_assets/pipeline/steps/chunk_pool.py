"""The processes that make chunks of days for a step: on its machine, or the workers of a Dask cluster."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from ml_assets.core.kubernetes.memory_sizing import chunk_memory
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import landed_to_features
from ml_assets.pipeline.engine.chunks import ChunkSettings


def chunk_settings(spec: ModelSpec, stage: str, log: Callable[[str], None]) -> ChunkSettings:
    """Return how a step makes the days of a run together, and, from landed files to features, with which processes.

    Args:
        spec: the model.
        stage: name of the stage of the step.
        log: receives lines about a cluster.
    """
    memory = chunk_memory(spec)
    if stage not in landed_to_features(spec):
        return ChunkSettings(memory)
    if spec.compute.dask is not None:
        return ChunkSettings(memory, spec.compute.dask.workers, lambda: _dask_workers(spec, log))
    if (processes := spec.compute.parallel.processes) > 1:
        return ChunkSettings(memory, processes, lambda: _local_processes(processes))
    return ChunkSettings(memory)


@contextmanager
def _local_processes(processes: int) -> Iterator[Executor]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A forked process would have the locks of threads that it does not have.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextmanager
def _dask_workers(spec: ModelSpec, log: Callable[[str], None]) -> Iterator[Executor]:
    from ml_assets.core.training.engines.dask_cluster import Use, WorkerExecutor, open_cluster

    data, cluster = spec.compute.data, spec.compute.dask
    assert cluster is not None
    resources = spec.compute.model_copy(
        update={
            "cpu": math.ceil(data.cpu),
            "memory": data.memory,
            "gpu": 0,
            "gpu_type": None,
            "node_selector": data.node_selector,
            "tolerations": data.tolerations,
        }
    )
    with open_cluster(spec.name, Use(cluster, "compute.dask", resources, "making days"), log) as client:
        yield WorkerExecutor(client)
