"""Pool, op tags, retries and time limit of a step; the Kubernetes executor builds the pod from the tags."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ml_assets.core.kubernetes.pod_spec import (
    COMPUTE_SECTION,
    MEMORY_RULE,
    SHARES_POD,
    START_TIMEOUT,
    data_pod,
    run_pod,
    training_pod,
)
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.compute import MemoryRule
from ml_assets.core.model_spec.retries import Retry
from ml_assets.pipeline.asset_names import MODEL, RAW, RAW_LABELS, SEARCH

KUBERNETES = "dagster-k8s/config"
# The stages that train models; a model need not have all of them.
TRAINING = frozenset({MODEL, SEARCH})
INGESTION = frozenset({RAW, RAW_LABELS})
GPU_POOL = "gpu"
# Dagster's tag for the maximum runtime of a run, in seconds.
LONGEST_RUN = "dagster/max_runtime"


@dataclass(frozen=True)
class StepSettings:
    """Settings of a step.

    pool: the pool in which the step waits. op_tags: tags of the op, because pods of steps do not see the tags of a job.
    retry: retries after transient external failures. longest: the time limit. memory_field: the field of the
    specification that gives the step more memory.
    """

    pool: str
    op_tags: Mapping[str, Any]
    retry: Retry
    longest: timedelta
    memory_field: str


def step_settings(spec: ModelSpec, stage: str) -> StepSettings:
    """Return the settings of a stage by the name of its main asset; all stages that do not train are data stages.

    A step that requests GPUs is in the pool `gpu`, which all models share; any other step is in the pool of its model.
    """
    trains = stage in TRAINING
    compute, section = (spec.compute, "compute") if trains else (spec.compute.data, "compute.data")
    tags: dict[str, Any] = {KUBERNETES: training_pod(spec, stage) if trains else data_pod(spec, stage)}
    tags[COMPUTE_SECTION] = section
    tags[START_TIMEOUT] = str(int(spec.compute.start_timeout.total_seconds()))
    if isinstance(compute.memory, MemoryRule):
        tags[MEMORY_RULE] = compute.memory.model_dump()
    if not trains and spec.compute.shares_pod:
        tags[SHARES_POD] = "true"
    retry = spec.retries.training if trains else spec.retries.ingestion if stage in INGESTION else spec.retries.default
    pool = GPU_POOL if trains and spec.compute.gpu else spec.name
    return StepSettings(pool, tags, retry, compute.max_runtime, f"{section}.memory")


def run_tags(spec: ModelSpec) -> dict[str, Any]:
    """Return the tags of the jobs of a model: the model, the time limit of a run, and its pod, which has room for the
    steps that share it.

    They are `tags` of a job, not `run_tags`: a launch from Dagster's UI gives a run only the former.
    """
    shared = {SHARES_POD: "true"} if spec.compute.shares_pod else {}
    longest = str(int(spec.compute.run_max_runtime.total_seconds()))
    return {"model": spec.name, LONGEST_RUN: longest, KUBERNETES: run_pod(spec), **shared}
