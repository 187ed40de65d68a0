"""Why a pod failed, or has not started: what Kubernetes says of it, in words that name the field to change."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

Pod = Mapping[str, Any]
"""A pod as Kubernetes' client gives it as a dictionary, with names in snake case."""

# Reasons of a pod that its node ended for the sake of others, or because the node goes away.
PREEMPTED = ("Preempting", "Shutdown", "NodeShutdown", "NodeLost", "Terminated")
# A step that loses its pod through no fault of its own is given another, so often and after so many seconds.
PREEMPTIONS, SECONDS_AFTER_PREEMPTION = 3, 30.0
# The time that a pod was given to end is over when its node says so; one of a node that is lost stays for ever.
AFTER_ITS_TIME = timedelta(seconds=30)
# Conditions of a job that has ended, which need not come with a count of failed pods: one that was removed may be
# counted nowhere.
OVER = ("Complete", "Failed", "FailureTarget")
# A quota is freed by others; nothing frees what a policy or a missing object forbids.
MAY_PASS = "exceeded quota"


def has_started(pod: Pod) -> bool:
    """Whether the containers of a pod have ever run."""
    return pod["status"].get("phase") not in (None, "Pending")


def is_ending(pod: Pod, now: datetime) -> bool:
    """Whether a pod was told to end and has time for it left, so that its process may be at work yet, and say itself
    what follows.
    """
    until = pod["metadata"].get("deletion_timestamp")
    return pod["status"].get("phase") == "Running" and until is not None and now < until + AFTER_ITS_TIME


def is_over(job: Mapping[str, Any]) -> bool:
    """Whether Kubernetes starts no more pods of a job."""
    return any(one.get("type") in OVER and one.get("status") == "True" for one in job.get("conditions") or ())


def why_failed(pod: Pod) -> str | None:
    """Why a pod ended before its step was done; None when it says nothing, as one that is well."""
    status = pod["status"]
    if out_of_memory := why_out_of_memory(pod):
        return out_of_memory
    if status.get("reason") == "DeadlineExceeded":
        return f"it ran longer than {pod['spec'].get('active_deadline_seconds')} s; max_runtime under compute or compute.data allows no more"
    if status.get("reason"):
        return f"Kubernetes ended it, {status['reason']}: {status.get('message') or 'no message'}"
    for container in status.get("container_statuses") or ():
        ended = (container.get("state") or {}).get("terminated")
        if ended and ended.get("exit_code"):
            message = f": {ended['message']}" if ended.get("message") else ""
            return f"its container ended with exit code {ended['exit_code']} ({ended.get('reason')}){message}"
    return None


def preemption(pods: Sequence[Pod]) -> str | None:
    """By what a step lost its pod though nothing was wrong with it: a preemption, a drained or lost node, a pod that
    somebody removed. Else None.

    A pod that was evicted because it took more than was its own is none: elsewhere it would do the same.

    Args:
        pods: the pods of a step that has failed.
    """
    if not pods:
        return "its pod is gone, as after the loss of its node"
    for pod in pods:
        if why_out_of_memory(pod):
            return None
        for condition in pod["status"].get("conditions") or ():
            if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
                return f"its pod had to go, {condition.get('reason')}: {condition.get('message') or 'no message'}"
        if pod["status"].get("reason") in PREEMPTED:
            return f"its pod had to go, {pod['status']['reason']}: {pod['status'].get('message') or 'no message'}"
        if pod["metadata"].get("deletion_timestamp") and not pod["status"].get("reason"):
            return "its pod was removed"
    return None


def why_out_of_memory(pod: Pod) -> str | None:
    """That a pod was ended for its memory, and what to do; None when it was not."""
    for container in pod["status"].get("container_statuses") or ():
        ended = (container.get("state") or {}).get("terminated") or (container.get("last_state") or {}).get(
            "terminated"
        )
        if ended and ended.get("reason") == "OOMKilled":
            return f"it needed more than its memory of {_memory(pod)}; give it more with compute.memory or compute.data.memory in its defs.yaml"
    return None


def why_waiting(pod: Pod) -> str:
    """Why a pod has not started yet."""
    status = pod["status"]
    for container in status.get("container_statuses") or ():
        waiting = (container.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason"):
            return f"{waiting['reason']}: {waiting.get('message') or 'no message'}"
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{condition.get('reason')}: {condition.get('message') or 'no message'}"
    return "Kubernetes does not say why"


def why_refused(events: Iterable[Mapping[str, Any]]) -> str | None:
    """Why the pods of a job cannot be made, from the events of the job; None when there is no such event, or waiting
    may help.
    """
    messages = [str(event.get("message")) for event in events if event.get("reason") == "FailedCreate"]
    refused = [message for message in messages if MAY_PASS not in message]
    return refused[-1] if refused else None


def _memory(pod: Pod) -> str:
    limits = (pod["spec"]["containers"][0].get("resources") or {}).get("limits") or {}
    return str(limits.get("memory", "its node"))
