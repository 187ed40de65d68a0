"""The executor of production: Dagster's own for Kubernetes, with memory by what a step reads, shared pods, and the
reason when a pod fails.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster import DagsterEvent
from dagster._core.events import EngineEventData
from dagster._core.executor.step_delegating import CheckStepHealthResult, StepHandler, StepHandlerContext

from ml_assets.core.kubernetes.memory_sizing import memory_for
from ml_assets.core.kubernetes.pod_failures import (
    failure_reason,
    has_ended,
    has_started,
    is_ending,
    preemption_reason,
    refusal_reason,
    waiting_reason,
)
from ml_assets.core.kubernetes.pod_spec import MEMORY_RULE, SHARES_POD, START_TIMEOUT, plain_pod
from ml_assets.core.model_spec.compute import MemoryRule
from ml_assets.resources.kubernetes.preemption_retry import replace_lost_pods
from ml_assets.resources.kubernetes.shared_pod import SharedPod, step_key

if TYPE_CHECKING:
    from dagster_k8s.executor import K8sStepHandler

InputBytes = Callable[[StepHandlerContext], int]
KUBERNETES = "dagster-k8s/config"


def step_executor(input_bytes: InputBytes) -> dg.ExecutorDefinition:
    """`k8s_job_executor` with the same name and settings, of which these are always so: step jobs belong to the pod of
    their run, steps in one pod run one after another, and steps without tags of their own get a small pod that meets
    the restricted standard.

    Args:
        input_bytes: the bytes that the largest day of a step is made from.
    """
    from dagster._core.definitions.executor_definition import multiple_process_executor_requirements
    from dagster._core.executor.step_delegating import StepDelegatingExecutor
    from dagster_k8s import k8s_job_executor

    @dg.executor(
        name=k8s_job_executor.name,
        config_schema=k8s_job_executor.config_schema.as_field(),
        requirements=multiple_process_executor_requirements(),
    )
    def step_pods(init_context: dg.InitExecutorContext) -> dg.Executor:
        config = cast("Mapping[str, Any]", init_context.executor_config)
        limits = [*(config.get("tag_concurrency_limits") or ()), {"key": SHARES_POD, "limit": 1}]
        always = {
            "enable_owner_references": True,
            "tag_concurrency_limits": limits,
            "step_k8s_config": {**plain_pod(), **config.get("step_k8s_config", {})},
        }
        create = cast(
            "Callable[[dg.InitExecutorContext], StepDelegatingExecutor]", k8s_job_executor.executor_creation_fn
        )
        executor = create(init_context._replace(executor_config={**config, **always}))
        pods = StepPods(cast("K8sStepHandler", executor._step_handler), SharedPod(), input_bytes)
        executor._step_handler = pods
        replace_lost_pods(executor, pods.preempted)
        return executor

    return step_pods


class StepPods(StepHandler):
    """Gives each step its pod, or a process in the pod of the run, and says why when one fails or does not start.

    jobs: Dagster's handler, which submits the job of a step. shared: the processes in this pod. preempted: the steps
    whose pod was lost last time through no fault of theirs.
    """

    def __init__(self, jobs: "K8sStepHandler", shared: SharedPod, input_bytes: InputBytes):
        self._jobs, self._shared, self._input_bytes = jobs, shared, input_bytes
        self._launched: dict[str, float] = {}
        self._over: set[str] = set()
        self.preempted: set[str] = set()

    @property
    def name(self) -> str:
        """The name under which Dagster's log speaks of it."""
        return "StepPods"

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Start a step where it belongs, with the memory that its rule gives."""
        if shares_pod(step_handler_context):
            yield from self._shared.launch_step(step_handler_context)
            return
        key = step_key(step_handler_context)
        tags = step_handler_context.step_tags[key]
        if MEMORY_RULE in tags:
            size = self._input_bytes(step_handler_context)
            memory = memory_for(MemoryRule.model_validate_json(tags[MEMORY_RULE]), size)
            step_handler_context = _WithTags(step_handler_context, {key: with_memory(tags, memory)})
            yield DagsterEvent.engine_event(
                step_handler_context.get_step_context(key),
                f"{memory} of memory for {size:,} bytes that the largest day is made from",
                EngineEventData(),
            )
        self._launched[self._jobs._get_k8s_step_job_name(step_handler_context)] = time.monotonic()
        yield from self._jobs.launch_step(step_handler_context)

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Unhealthy, with what Kubernetes says, when the pod of a step failed, cannot be made, or does not start in
        time; its job is removed.
        """
        if shares_pod(step_handler_context):
            return self._shared.check_step_health(step_handler_context)
        found = self._jobs.check_step_health(step_handler_context)
        job = self._jobs._get_k8s_step_job_name(step_handler_context)
        namespace = cast("str", self._jobs._get_container_context(step_handler_context).namespace)
        pods = [pod.to_dict() for pod in self._jobs._api_client.get_pods_in_job(job, namespace)]
        key = step_key(step_handler_context)
        self.preempted.discard(key)
        if found.is_healthy and self._is_silent(job, namespace):
            found = CheckStepHealthResult.unhealthy(
                f"Kubernetes job {job} is over, and the step has not said how it ended."
            )
        if not found.is_healthy:
            # Kubernetes counts a pod as failed once it is told to end. Two ends of one attempt, this and its own, would
            # break off the run.
            if any(is_ending(pod, datetime.now(UTC)) for pod in pods):
                return CheckStepHealthResult.healthy()
            if lost := preemption_reason(pods):
                self.preempted.add(key)
                return CheckStepHealthResult.unhealthy(
                    f"{lost}. Nothing was wrong with the step, and what it committed stays"
                )
            reasons = [reason for reason in map(failure_reason, pods) if reason]
            return CheckStepHealthResult.unhealthy(" ".join([str(found.unhealthy_reason), *reasons]))
        if any(map(has_started, pods)):
            return found
        refused = None if pods else refusal_reason(self._events_of(job, namespace))
        longest = int(step_handler_context.step_tags[key].get(START_TIMEOUT, 1800))
        waited = time.monotonic() - self._launched.setdefault(job, time.monotonic())
        if refused is None and waited <= longest:
            return found
        why = refused or next(map(waiting_reason, pods), "Kubernetes has made no pod of its job")
        self._jobs._api_client.delete_job(job, namespace)
        return CheckStepHealthResult.unhealthy(
            f"its pod {'cannot be made' if refused else f'has not started in {longest} s'}: {why}"
        )

    def _is_silent(self, job: str, namespace: str) -> bool:
        """Whether a job was over at the last look already, so that what its step had to say has been heard since."""
        status = self._jobs._api_client.get_job_status(job_name=job, namespace=namespace)
        was_over, is_now = job in self._over, status is not None and has_ended(status.to_dict())
        self._over = self._over | {job} if is_now else self._over - {job}
        return was_over and is_now

    def _events_of(self, job: str, namespace: str | None) -> list[Mapping[str, Any]]:
        """The events of a job; none where they may not be read."""
        from kubernetes.client.rest import ApiException

        try:
            listed = self._jobs._api_client.core_api.list_namespaced_event(
                namespace=namespace, field_selector=f"involvedObject.name={job}"
            )
        except ApiException as error:
            if error.status != 403:
                raise
            return []
        return [event.to_dict() for event in cast("Any", listed).items]

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """End a step: its process, or its job with its pod."""
        handler = self._shared if shares_pod(step_handler_context) else self._jobs
        yield from handler.terminate_step(step_handler_context)


def shares_pod(context: StepHandlerContext) -> bool:
    """Whether a step runs in the pod of its run: it may, and the pod was made large enough for it."""
    return SHARES_POD in context.step_tags[step_key(context)] and SHARES_POD in context.dagster_run.tags


def with_memory(tags: Mapping[str, str], memory: str) -> dict[str, str]:
    """The tags of a step with this much memory as request and limit of its container."""
    config = json.loads(tags[KUBERNETES])
    for of in config["container_config"]["resources"].values():
        of["memory"] = memory
    return {**tags, KUBERNETES: json.dumps(config)}


class _WithTags(StepHandlerContext):
    """The same step with other tags."""

    def __init__(self, context: StepHandlerContext, tags: Mapping[str, Mapping[str, str]]):
        vars(self).update(vars(context))
        self._tags = tags

    @property
    def step_tags(self) -> Mapping[str, Mapping[str, str]]:
        return self._tags
