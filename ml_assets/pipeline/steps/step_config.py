"""Where a step runs: the pool and the op tags by which the executor of production gives a stage its pod."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ml_assets.core.kubernetes.pod_spec import MEMORY_RULE, SHARES_POD, START_TIMEOUT, data_pod, run_pod, training_pod
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.compute import MemoryRule
from ml_assets.core.model_spec.retries import Retry

KUBERNETES = "dagster-k8s/config"
# The stages that train models. A name may be that of a stage that a model does not have.
TRAINING = frozenset({"trained_model", "parameter_search"})
INGESTION = frozenset({"raw_data", "raw_labels"})
GPU_POOL = "gpu"
# Dagster's tag for the longest time of a run, in seconds.
LONGEST_RUN = "dagster/max_runtime"


@dataclass(frozen=True)
class StepSettings:
    """pool: where the step waits for others. op_tags: on the op, because pods of steps do not see the tags of a job.
    retry: how often it is tried again when the world fails. longest: how long it may run. memory_field: the field of
    the specification that gives it more memory.
    """

    pool: str
    op_tags: Mapping[str, Any]
    retry: Retry
    longest: timedelta
    memory_field: str


def step_settings(spec: ModelSpec, stage: str) -> StepSettings:
    """The settings of a stage by the name of its main asset; a stage that is not known here is a data stage.

    A step that asks for GPUs is in the pool `gpu`, which all models share, and every other one in the pool of its
    model.
    """
    trains = stage in TRAINING
    compute = spec.compute if trains else spec.compute.data
    tags: dict[str, Any] = {KUBERNETES: training_pod(spec, stage) if trains else data_pod(spec, stage)}
    tags[START_TIMEOUT] = str(int(spec.compute.start_timeout.total_seconds()))
    if isinstance(compute.memory, MemoryRule):
        tags[MEMORY_RULE] = compute.memory.model_dump()
    if not trains and spec.compute.data.share_pod:
        tags[SHARES_POD] = "true"
    retry = spec.retries.training if trains else spec.retries.ingestion if stage in INGESTION else spec.retries.default
    memory_field = "compute.memory" if trains else "compute.data.memory"
    return StepSettings(
        GPU_POOL if trains and spec.compute.gpu else spec.name, tags, retry, compute.max_runtime, memory_field
    )


def run_tags(spec: ModelSpec) -> dict[str, Any]:
    """The tags of the model's jobs: whose they are, how long their runs may take, and the pod of their runs, which has
    room for the steps that share it.
    """
    shared = {SHARES_POD: "true"} if spec.compute.data.share_pod else {}
    longest = str(int(spec.compute.run_max_runtime.total_seconds()))
    return {"model": spec.name, LONGEST_RUN: longest, KUBERNETES: run_pod(spec), **shared}
