"""The cost of the days that a step computed: time, cores, GPUs, memory, bytes and pods, shared among its days."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ml_assets.core.kubernetes.pod_spec import REQUESTED_SHARE
from ml_assets.core.model_spec import ModelSpec


@dataclass(frozen=True)
class Usage:
    """The resource usage of a step: seconds, core seconds, and the peak memory of one of its processes, in bytes."""

    seconds: float
    cpu_seconds: float
    memory_peak: int


@dataclass(frozen=True)
class Reservation:
    """The resources reserved for a step while it runs: requested cores and pods, both 0 outside of Kubernetes, and
    GPUs."""

    cores: float = 0.0
    gpus: int = 0
    pods: int = 0


@dataclass(frozen=True)
class Start:
    """The start-up time of a step: seconds from its launch to its beginning (start of the pod, imports), and seconds
    that its run waited in the queue. Both are 0 outside of Kubernetes.
    """

    seconds: float = 0.0
    queued: float = 0.0


@dataclass(frozen=True)
class MadeDay:
    """A day that a step computed: the seconds that this took, and its rows and bytes in all tables."""

    day: date
    seconds: float
    rows: int
    size: int


def reserve(spec: ModelSpec, trains: bool, has_workers: bool, is_pod: bool) -> Reservation:
    """Return the resources reserved for a step: its own pod, and the workers of a Dask cluster on Kubernetes.

    Args:
        spec: the model.
        trains: whether it is a training stage.
        has_workers: whether a Dask cluster computes days or trains for the step.
        is_pod: whether the step runs in a pod.
    """
    compute = spec.compute
    cores, gpus = (compute.cpu, compute.gpu) if trains else (compute.data.cpu, 0)
    cluster = (spec.training.dask if trains else compute.dask) if has_workers else None
    workers = cluster.workers if cluster is not None and cluster.kubernetes is not None else 0
    worker_cores = workers * math.ceil(cores)
    # A step with a cluster has no GPU of its own; the workers have GPUs.
    all_gpus = gpus * workers if workers else gpus
    if not is_pod:
        return Reservation(worker_cores * REQUESTED_SHARE, all_gpus, workers)
    return Reservation((cores + worker_cores) * REQUESTED_SHARE, all_gpus, 1 + workers)


def share_costs(
    stage: str,
    run_id: str,
    now: datetime,
    days: Sequence[MadeDay],
    usage: Usage,
    reservation: Reservation,
    start: Start,
) -> list[dict[str, Any]]:
    """Return a row of `stage_costs` for each day: its own seconds, and an equal share of the rest of the step and of
    its start; core seconds are shared in proportion.

    Args:
        stage: name of the stage.
        run_id: Dagster run of the step.
        now: the time at which the step ended, with a time zone.
        days: the days that the step computed.
        usage: usage of the whole step.
        reservation: reservation for the whole step, including its start.
        start: start-up time of the step.
    """
    making = sum(day.seconds for day in days)
    # Days that were computed in parallel took more seconds in total than the step.
    scale = min(1.0, usage.seconds / making) if making else 1.0
    rest = max(usage.seconds - making * scale, 0.0) / len(days) if days else 0.0
    rows = []
    for day in days:
        seconds = day.seconds * scale + rest
        share = seconds / usage.seconds if usage.seconds else 0.0
        starting = start.seconds / len(days)
        rows.append(
            {
                "day": day.day,
                "stage": stage,
                "run_id": run_id,
                "measured_at": now,
                "days_in_step": len(days),
                "rows": day.rows,
                "bytes": day.size,
                "seconds": seconds,
                "cpu_seconds": usage.cpu_seconds * share,
                "start_seconds": starting,
                "queue_seconds": start.queued,
                "reserved_cpu_seconds": reservation.cores * (seconds + starting),
                "gpu_seconds": reservation.gpus * (seconds + starting),
                "memory_peak": usage.memory_peak,
                "pods": reservation.pods,
            }
        )
    return rows


def billed_cpu_seconds(row: Mapping[str, Any]) -> float:
    """Return the core seconds that a day is charged for: the reserved ones, or the used ones if there were more."""
    return max(row["cpu_seconds"], row["reserved_cpu_seconds"])
