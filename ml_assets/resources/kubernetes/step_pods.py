"""A step handler that runs each step in its own pod or in a process in the pod of the run, and reports why a pod failed
or does not start.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster import DagsterEvent

from ml_assets.core.kubernetes.memory_sizing import memory_for
from ml_assets.core.kubernetes.pod_failures import (
    NO_OVERRIDE,
    OUT_OF_MEMORY,
    api_answer,
    failure_reason,
    has_ended,
    has_started,
    is_abandoned,
    is_ending,
    may_pass,
    preemption_reason,
    refusal_reason,
    seconds_waited,
    waiting_reason,
    waiting_remedy,
)
from ml_assets.core.kubernetes.pod_spec import COMPUTE_SECTION, MEMORY_RULE, SHARES_POD, START_TIMEOUT
from ml_assets.core.model_spec.compute import MemoryRule
from ml_assets.resources.dagster_internals.kubernetes_jobs import api_client, job_name, namespace
from ml_assets.resources.dagster_internals.step_execution import (
    CheckStepHealthResult,
    EngineEventData,
    StepHandler,
    StepHandlerContext,
)
from ml_assets.resources.kubernetes.shared_pod import SharedPodStepHandler, step_key

if TYPE_CHECKING:
    from dagster_k8s.client import DagsterKubernetesClient
    from dagster_k8s.executor import K8sStepHandler

InputBytes = Callable[[StepHandlerContext], int]
KUBERNETES = "dagster-k8s/config"
# Dagster's tag for the number of an automatic retry of a run.
RETRY_NUMBER = "dagster/retry_number"


class PodStepHandler(StepHandler):
    """Starts and watches steps in pods of their own, or in processes in the pod of the run.

    Args:
        jobs: the handler of dagster-k8s, which submits the job of a step.
        shared: the handler of processes in this pod.
        input_bytes: returns the bytes from which the largest day of a step is made.
        overrides: pod settings of single steps in the run config (`per_step_k8s_config`).
        are_all_configured: whether the run config changes the pods of all steps.

    Attributes:
        preempted: the steps whose last attempt lost its pod to a preemption.
    """

    def __init__(
        self,
        jobs: "K8sStepHandler",
        shared: SharedPodStepHandler,
        input_bytes: InputBytes,
        overrides: Mapping[str, Any] = NO_OVERRIDE,
        are_all_configured: bool = False,
    ):
        self._jobs = jobs
        self._shared = shared
        self._input_bytes = input_bytes
        self._overrides = overrides
        self._are_all_configured = are_all_configured
        self._launch_times: dict[str, float] = {}
        self._finished_jobs: set[str] = set()
        self._refused_jobs: dict[str, str] = {}
        self._was_killed_for_memory: bool | None = None
        self.preempted: set[str] = set()

    @property
    def name(self) -> str:
        """Name of the handler in Dagster's event log."""
        return "PodStepHandler"

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Start a step in its own pod or in that of the run, with the memory for its input."""
        if self.shares_pod(step_handler_context):
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
        from dagster_k8s.client import DagsterK8sUnrecoverableAPIError

        job = job_name(self._jobs, step_handler_context)
        self._launch_times[job] = time.monotonic()
        try:
            yield from self._jobs.launch_step(step_handler_context)
        except DagsterK8sUnrecoverableAPIError as error:
            # If raised, the error would end the whole run without the reason from Kubernetes, and the run would be
            # retried.
            self._refused_jobs[job] = api_answer(error.k8s_api_exception)

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Report a step as unhealthy, with the reason from Kubernetes, if its pod failed, cannot be created, or does
        not start in time; the job of a pod that does not start is deleted.
        """
        if self.shares_pod(step_handler_context):
            return self._shared.check_step_health(step_handler_context)
        job = job_name(self._jobs, step_handler_context)
        if job in self._refused_jobs:
            return CheckStepHealthResult.unhealthy(f"its job cannot be created: {self._refused_jobs[job]}")
        health = self._jobs.check_step_health(step_handler_context)
        job_namespace = namespace(self._jobs, step_handler_context)
        pods = [pod.to_dict() for pod in self._client.get_pods_in_job(job, job_namespace)]
        key = step_key(step_handler_context)
        self.preempted.discard(key)
        if health.is_healthy and self._ended_without_event(job, job_namespace):
            health = CheckStepHealthResult.unhealthy(
                f"Kubernetes job {job} is over, and the step has not said how it ended."
            )
        section = step_handler_context.step_tags[key].get(COMPUTE_SECTION, "compute.data")
        if not health.is_healthy:
            return self._explain_failure(health, key, pods, section)
        now = datetime.now(UTC)
        # A pod on a lost node stays `Running`, while another one waits in its place.
        expected = [pod for pod in pods if not is_abandoned(pod, now)]
        if any(map(has_started, expected)):
            return health
        refusal = None if expected else refusal_reason(self._job_events(job, job_namespace), pods)
        is_final = refusal is not None and not may_pass(refusal)
        timeout = int(step_handler_context.step_tags[key].get(START_TIMEOUT, 1800))
        since_launch = time.monotonic() - self._launch_times.setdefault(job, time.monotonic())
        if not is_final and seconds_waited(pods, since_launch, now) <= timeout:
            return health
        reason = refusal or next(map(waiting_reason, expected), "Kubernetes has created no pod for its job")
        self._client.delete_job(job, job_namespace)
        if is_final:
            return CheckStepHealthResult.unhealthy(f"its pod cannot be created: {reason}")
        remedy = waiting_remedy(reason, section, self._overrides.get(key, NO_OVERRIDE))
        return CheckStepHealthResult.unhealthy(
            f"its pod has not started in {timeout} s, its compute.start_timeout: {reason.rstrip('.')}"
            + (f"; {remedy}" if remedy else "")
        )

    @property
    def _client(self) -> "DagsterKubernetesClient":
        return api_client(self._jobs)

    def _explain_failure(
        self, health: CheckStepHealthResult, key: str, pods: list[Mapping[str, Any]], section: str
    ) -> CheckStepHealthResult:
        # Kubernetes counts a pod as failed as soon as it starts to terminate it. The step may still report its own end,
        # and two ends of one attempt would abort the run.
        if any(is_ending(pod, datetime.now(UTC)) for pod in pods):
            return CheckStepHealthResult.healthy()
        if reason := preemption_reason(pods):
            self.preempted.add(key)
            return CheckStepHealthResult.unhealthy(
                f"{reason}. Nothing was wrong with the step, and what it committed stays"
            )
        # The reason from Kubernetes comes first, because notifications are short. Dagster's text names the job.
        override = self._overrides.get(key, NO_OVERRIDE)
        reasons = [f"{reason}." for pod in pods if (reason := failure_reason(pod, section, override))]
        return CheckStepHealthResult.unhealthy(" ".join([*reasons, str(health.unhealthy_reason)]))

    def _ended_without_event(self, job: str, job_namespace: str) -> bool:
        """Return whether a job was already over at the previous check, so that the executor has read the step's events
        since.
        """
        status = self._client.get_job_status(job_name=job, namespace=job_namespace)
        was_over = job in self._finished_jobs
        is_over_now = status is not None and has_ended(status.to_dict())
        self._finished_jobs = self._finished_jobs | {job} if is_over_now else self._finished_jobs - {job}
        return was_over and is_over_now

    def _job_events(self, job: str, job_namespace: str) -> list[Mapping[str, Any]]:
        """Return the Kubernetes events of a job; none if this process may not read them."""
        from kubernetes.client.rest import ApiException

        try:
            events = self._client.core_api.list_namespaced_event(
                namespace=job_namespace, field_selector=f"involvedObject.name={job}"
            )
        except ApiException as error:
            if error.status != 403:
                raise
            return []
        return [event.to_dict() for event in cast("Any", events).items]

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Terminate a step: its process, or its job with its pod."""
        handler = self._shared if self.shares_pod(step_handler_context) else self._jobs
        yield from handler.terminate_step(step_handler_context)

    def shares_pod(self, context: StepHandlerContext) -> bool:
        """Return whether a step runs in the pod of its run: if the specification allows it, the pod is large enough,
        and the run config does not request another pod.

        Dagster retries a run whose pod was lost. If it ran out of memory, separate pods show which step needs more.
        """
        tags, key = context.dagster_run.tags, step_key(context)
        if self._are_all_configured or key in self._overrides:
            return False
        if SHARES_POD not in context.step_tags[key] or SHARES_POD not in tags:
            return False
        if self._was_killed_for_memory is None:
            self._was_killed_for_memory = RETRY_NUMBER in tags and was_killed_for_memory(
                context.instance, context.dagster_run
            )
        return not self._was_killed_for_memory


def was_killed_for_memory(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Return whether the pod of an earlier attempt of a run was killed for running out of memory.

    Dagster writes the state of a lost pod into the event of the failure.
    """
    attempt = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    if attempt is None:
        return False
    failures = instance.all_logs(attempt.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    messages = [failure.dagster_event.message or "" for failure in failures if failure.dagster_event]
    return any(OUT_OF_MEMORY in message for message in messages) or was_killed_for_memory(instance, attempt)


def with_memory(tags: Mapping[str, str], memory: str) -> dict[str, str]:
    """Return the tags of a step with this much memory as request and limit of its container."""
    config = json.loads(tags[KUBERNETES])
    for amounts in config["container_config"]["resources"].values():
        amounts["memory"] = memory
    return {**tags, KUBERNETES: json.dumps(config)}


class _WithTags(StepHandlerContext):
    """The context of the same step with other tags."""

    def __init__(self, context: StepHandlerContext, tags: Mapping[str, Mapping[str, str]]):
        vars(self).update(vars(context))
        self._tags = tags

    @property
    def step_tags(self) -> Mapping[str, Mapping[str, str]]:
        return self._tags
