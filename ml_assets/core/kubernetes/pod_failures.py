"""Reasons why a pod failed or has not started, from its status in Kubernetes, with the field to change."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

Pod = Mapping[str, Any]
"""A pod as a dictionary from Kubernetes' Python client, with names in snake case."""

# The reason that Kubernetes gives for a container that was killed for running out of memory.
OUT_OF_MEMORY = "OOMKilled"
# Reasons for the end of a pod in favour of another pod, or because its node shuts down.
PREEMPTED = ("Preempting", "Shutdown", "NodeShutdown", "NodeLost", "Terminated")
# Maximum number of replacement pods for a step that lost its pod through no fault of its own, and the delay before
# each.
PREEMPTIONS, SECONDS_AFTER_PREEMPTION = 3, 30.0
# The node reports the end of a pod after its grace period; a pod on a lost node never ends.
GRACE_PERIOD_MARGIN = timedelta(seconds=30)
# Conditions of a job that has ended. The count of failed pods may be 0, because removed pods are not counted.
ENDED_CONDITIONS = ("Complete", "Failed", "FailureTarget")
TRANSIENT_REFUSAL = "exceeded quota"
NO_OVERRIDE: Mapping[str, Any] = MappingProxyType({})
LAUNCHPAD = "which per_step_k8s_config in the launchpad of this run sets"


def api_answer(error: Any) -> str:
    """Return the reason why the Kubernetes API refused a request, in most cases a sentence.

    Args:
        error: the exception of Kubernetes' Python client, whose `body` is the answer.
    """
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return str(error)


def has_started(pod: Pod) -> bool:
    """Return whether the containers of a pod have ever run."""
    return pod["status"].get("phase") not in (None, "Pending")


def is_abandoned(pod: Pod, now: datetime) -> bool:
    """Return whether a pod should have ended a while ago, as on a lost node, which reports nothing more."""
    until = pod["metadata"].get("deletion_timestamp")
    return until is not None and now >= until + GRACE_PERIOD_MARGIN


def seconds_waited(pods: Sequence[Pod], since_launch: float, now: datetime) -> float:
    """Return for how long a step has waited for its pod to start: since its launch, or if it had a pod that was lost
    with its node, since the newest pod was created, or since the loss while there is no other.

    Args:
        pods: the pods of the step.
        since_launch: seconds since the step was launched.
        now: the current time, with a zone.
    """
    created = [
        pod["metadata"]["creation_timestamp"]
        for pod in pods
        if pod["metadata"].get("creation_timestamp") and not is_abandoned(pod, now)
    ]
    lost = [pod["metadata"]["deletion_timestamp"] + GRACE_PERIOD_MARGIN for pod in pods if is_abandoned(pod, now)]
    begin = created or lost
    return min(since_launch, (now - max(begin)).total_seconds()) if begin else since_launch


def is_ending(pod: Pod, now: datetime) -> bool:
    """Return whether a pod is within its grace period, so that its process may still be running and may report its own
    failure.
    """
    until = pod["metadata"].get("deletion_timestamp")
    return pod["status"].get("phase") == "Running" and until is not None and now < until + GRACE_PERIOD_MARGIN


def has_ended(job: Mapping[str, Any]) -> bool:
    """Return whether a job has ended, so that Kubernetes starts no more pods for it."""
    return any(
        condition.get("type") in ENDED_CONDITIONS and condition.get("status") == "True"
        for condition in job.get("conditions") or ()
    )


def failure_reason(pod: Pod, section: str, override: Mapping[str, Any] = NO_OVERRIDE) -> str | None:
    """Explain why a pod ended before its step was done, with the remedy; None if its status gives no reason.

    Args:
        pod: a pod of the step.
        section: the section of the specification that describes the pod, `compute` or `compute.data`.
        override: the overrides in the run's configuration, the step's part of `per_step_k8s_config`.
    """
    status = pod["status"]
    if was_out_of_memory(pod):
        needed = f"it needed more than its memory of {_memory(pod)}"
        if _find(override, "container_config", "resources", "limits", "memory") is not None:
            return f"{needed}, {LAUNCHPAD}; raise it there, or leave it out: then {section}.memory counts"
        return f"{needed}; raise {section}.memory in the defs.yaml of its model"
    if status.get("reason") == "DeadlineExceeded":
        seconds = pod["spec"].get("active_deadline_seconds")
        is_replaced = _find(override, "pod_spec_config", "active_deadline_seconds") is not None
        return f"it ran longer than {seconds} s, {LAUNCHPAD if is_replaced else f'its {section}.max_runtime'}"
    if status.get("reason"):
        return f"Kubernetes ended it, {status['reason']}: {status.get('message') or 'no message'}"
    for container in status.get("container_statuses") or ():
        ended = (container.get("state") or {}).get("terminated")
        if ended and ended.get("exit_code"):
            message = f": {ended['message']}" if ended.get("message") else ""
            return f"its container ended with exit code {ended['exit_code']} ({ended.get('reason')}){message}"
    return None


def preemption_reason(pods: Sequence[Pod]) -> str | None:
    """Explain why a step lost its pod through no fault of its own (a preemption, a drained or lost node, a removed
    pod); otherwise None.

    A pod that was evicted because it exceeded its own resources does not count, because it would do so on another node
    too.

    Args:
        pods: the pods of a failed step.
    """
    if not pods:
        return "its pod is gone, as after the loss of its node"
    for pod in pods:
        if was_out_of_memory(pod):
            return None
        for condition in pod["status"].get("conditions") or ():
            if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
                return f"its pod was disrupted, {condition.get('reason')}: {condition.get('message') or 'no message'}"
        if pod["status"].get("reason") in PREEMPTED:
            return f"its pod was disrupted, {pod['status']['reason']}: {pod['status'].get('message') or 'no message'}"
        if pod["metadata"].get("deletion_timestamp") and not pod["status"].get("reason"):
            return "its pod was removed"
    return None


def was_out_of_memory(pod: Pod) -> bool:
    """Return whether a container of a pod was killed for running out of memory."""
    for container in pod["status"].get("container_statuses") or ():
        ended = (container.get("state") or {}).get("terminated") or (container.get("last_state") or {}).get(
            "terminated"
        )
        if ended and ended.get("reason") == OUT_OF_MEMORY:
            return True
    return False


def waiting_reason(pod: Pod) -> str:
    """Return the reason why a pod has not started yet."""
    status = pod["status"]
    for container in status.get("container_statuses") or ():
        waiting = (container.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason"):
            return f"{waiting['reason']}: {waiting.get('message') or 'no message'}"
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{condition.get('reason')}: {condition.get('message') or 'no message'}"
    return "Kubernetes gives no reason"


def waiting_remedy(reason: str, section: str, override: Mapping[str, Any] = NO_OVERRIDE) -> str | None:
    """Return what to do so that a pod starts next time; None if its reason does not say.

    Args:
        reason: the reason why it has not started, from `waiting_reason` or `refusal_reason`.
        section: the section of the specification that describes the pod, `compute` or `compute.data`.
        override: the overrides in the run's configuration, the step's part of `per_step_k8s_config`.
    """
    name = reason.partition(":")[0]
    if "Image" in name:
        if _find(override, "container_config", "image") is not None:
            return f"correct the image, {LAUNCHPAD}"
        of_training = "compute.image in the defs.yaml of its model, or " if section == "compute" else ""
        return f"push the image, or correct it: {of_training}that of the code server"
    if name == "Unschedulable":
        fields = "per_step_k8s_config in the launchpad" if override else f"{section} in the defs.yaml of its model"
        return f"make room on a node, or request less with {fields}"
    if may_pass(reason):
        return "free some of the quota, or raise it (quota.hard in the values of the chart)"
    return None


def refusal_reason(events: Iterable[Mapping[str, Any]], pods: Sequence[Pod] = ()) -> str | None:
    """Explain from the events of a job why its next pod was not created; None if there is no such event.

    Args:
        events: the events of the job.
        pods: the pods that the job has had; what happened before the newest of them was created does not count.
    """
    created = [pod["metadata"]["creation_timestamp"] for pod in pods if pod["metadata"].get("creation_timestamp")]
    refused = [
        (when, str(event.get("message")))
        for event in events
        if event.get("reason") == "FailedCreate"
        and (when := event.get("last_timestamp") or event.get("event_time") or event.get("first_timestamp"))
        and when >= max(created, default=when)
    ]
    return max(refused)[1] if refused else None


def may_pass(refusal: str) -> bool:
    """Return whether waiting may help against a refusal: against a full quota, but not against a policy or a missing
    object.
    """
    return TRANSIENT_REFUSAL in refusal


def _memory(pod: Pod) -> str:
    limits = (pod["spec"]["containers"][0].get("resources") or {}).get("limits") or {}
    return str(limits.get("memory", "its node"))


def _find(settings: Mapping[str, Any], *path: str) -> Any:
    """Return the value at a path of names, which may be in snake or camel case as in dagster-k8s; None if there is
    none."""
    value: Any = settings
    for name in path:
        first, *others = name.split("_")
        camel = first + "".join(part.capitalize() for part in others)
        if not isinstance(value, Mapping):
            return None
        value = value.get(name, value.get(camel))
    return value
