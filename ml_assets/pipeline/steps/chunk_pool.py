"""The processes that make chunks of days for a step: on its machine, or the workers of a Dask cluster."""

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ml_assets.core.kubernetes.memory_sizing import chunk_memory
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import landed_to_features
from ml_assets.pipeline.engine.chunks import ChunkSettings

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

PRELOADED = (
    "ml_assets.pipeline.graph.stages",
    "ml_assets.core.ingestion.file_reader",
    "ml_assets.core.validation.validate_day",
    "ml_assets.core.features.point_in_time",
    "ml_assets.core.profiling.target_leakage",
    "pandera.pandas",
)
"""Modules that the stages from landed files to features import when they compute a day."""


def chunk_settings(spec: ModelSpec, stage: str, log: Callable[[str], None]) -> ChunkSettings:
    """Return the chunk settings of a step, with a pool of processes for the stages from landed files to features.

    Args:
        spec: the model.
        stage: name of the stage of the step.
        log: logs messages about a Dask cluster.
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
    """Open a pool of processes that end with the block, even if they are busy, and with this process."""
    from concurrent.futures import ProcessPoolExecutor

    context = _process_context()
    reader, writer = context.Pipe(duplex=False)
    # The writer is closed first, so that nothing waits for chunks that are no longer needed.
    with reader, ProcessPoolExecutor(processes, context, _start_worker, (reader,)) as pool, writer:
        yield pool


def _start_worker(reader: "Connection") -> None:
    # Ctrl-C reaches every process of the terminal; the process of the step handles it by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_pipe, args=(reader,), daemon=True).start()


def _end_with_pipe(reader: "Connection") -> None:
    """End this process once the other end of a pipe is closed, which also happens when the process there dies."""
    with suppress(EOFError):
        reader.recv_bytes()
    os._exit(1)


def _process_context() -> "BaseContext":
    """Return the start method of processes: a fork server with preloaded modules, for all steps of this process.

    A process forked from this one would inherit locks held by threads that do not exist in it.
    """
    import multiprocessing

    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", *PRELOADED])
    return context


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
