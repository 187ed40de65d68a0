"""Reasons for the failure of a pod name the field to change."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_assets.core.kubernetes.pod_failures import (
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

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def pod(phase="Failed", state=None, removed=None, **status):
    containers = [{"name": "dagster", "state": state}] if state else []
    spec = {"active_deadline_seconds": 60, "containers": [{"resources": {"limits": {"memory": "2Gi"}}}]}
    return {
        "metadata": {"deletion_timestamp": removed},
        "spec": spec,
        "status": {"phase": phase, "container_statuses": containers, **status},
    }


def test_a_pod_that_ran_out_of_memory_names_its_limit_and_the_field():
    killed = pod(state={"terminated": {"reason": "OOMKilled", "exit_code": 137}})
    for section in ("compute", "compute.data"):
        assert failure_reason(killed, section) == (
            f"it needed more than its memory of 2Gi; raise {section}.memory in the defs.yaml of its model"
        )


def test_a_pod_that_ran_too_long_names_the_bound_and_the_field():
    reason = failure_reason(
        pod(reason="DeadlineExceeded", message="Pod was active on the node longer than the specified deadline"),
        "compute.data",
    )
    assert reason == "it ran longer than 60 s, its compute.data.max_runtime"


@pytest.mark.parametrize("runtime", ["active_deadline_seconds", "activeDeadlineSeconds"])
def test_limits_of_the_launchpad_are_named_as_such(runtime):
    killed = pod(state={"terminated": {"reason": "OOMKilled", "exit_code": 137}})
    late = pod(reason="DeadlineExceeded", message="Pod was active on the node longer than the specified deadline")
    memory = {"container_config": {"resources": {"limits": {"memory": "2Gi"}}}}
    time = {"pod_spec_config": {runtime: 60}}
    assert failure_reason(killed, "compute", memory) == (
        "it needed more than its memory of 2Gi, which per_step_k8s_config in the launchpad of this run sets; raise it "
        "there, or leave it out: then compute.memory counts"
    )
    assert failure_reason(late, "compute", time) == (
        "it ran longer than 60 s, which per_step_k8s_config in the launchpad of this run sets"
    )
    # A launchpad that sets something else changes neither.
    assert failure_reason(killed, "compute", time) == failure_reason(killed, "compute")
    assert failure_reason(late, "compute", memory) == failure_reason(late, "compute")


def test_an_evicted_pod_has_the_reason_of_kubernetes():
    reason = failure_reason(pod(reason="Evicted", message="The node was low on resource: memory."), "compute")
    assert reason == "Kubernetes ended it, Evicted: The node was low on resource: memory."


def test_a_container_that_failed_has_its_exit_code_and_message():
    reason = failure_reason(
        pod(state={"terminated": {"reason": "StartError", "exit_code": 128, "message": "no such file"}}), "compute"
    )
    assert reason == "its container ended with exit code 128 (StartError): no such file"


def test_a_healthy_pod_has_no_failure_reason():
    assert failure_reason(pod("Running", {"running": {}}), "compute") is None
    completed = pod("Succeeded", {"terminated": {"reason": "Completed", "exit_code": 0}})
    assert failure_reason(completed, "compute") is None


def test_a_pod_has_started_once_its_containers_ran():
    assert [has_started(pod(phase)) for phase in (None, "Pending", "Running", "Succeeded", "Failed")] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_a_pod_that_waits_for_a_node_or_an_image_says_so():
    unschedulable = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes: 3 Insufficient nvidia.com/gpu.",
    }
    assert (
        waiting_reason(pod("Pending", conditions=[unschedulable]))
        == "Unschedulable: 0/3 nodes: 3 Insufficient nvidia.com/gpu."
    )
    pulling = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    assert waiting_reason(pod("Pending", pulling)) == "ImagePullBackOff: Back-off pulling image"
    assert waiting_reason(pod("Pending")) == "Kubernetes gives no reason"


def test_a_pod_that_did_not_start_has_a_remedy_that_names_the_field():
    image, node = "ImagePullBackOff: Back-off pulling image", "Unschedulable: 0/3 nodes"
    assert waiting_remedy(image, "compute") == (
        "push the image, or correct it: compute.image in the defs.yaml of its model, or that of the code server"
    )
    assert waiting_remedy(image, "compute.data") == "push the image, or correct it: that of the code server"
    assert waiting_remedy(image, "compute", {"container_config": {"image": "none"}}) == (
        "correct the image, which per_step_k8s_config in the launchpad of this run sets"
    )
    assert waiting_remedy(node, "compute") == (
        "make room on a node, or request less with compute in the defs.yaml of its model"
    )
    assert waiting_remedy(node, "compute", {"pod_spec_config": {}}) == (
        "make room on a node, or request less with per_step_k8s_config in the launchpad"
    )
    assert waiting_remedy("ContainerCreating: no message", "compute") is None


def refused_pod(message, minutes=0):
    return {"reason": "FailedCreate", "message": message, "last_timestamp": NOW + timedelta(minutes=minutes)}


def test_the_newest_refusal_after_the_last_pod_counts():
    missing, full = "no PriorityClass with name ml-assets-data was found", "pods is forbidden: exceeded quota: gpus"
    events = [refused_pod(full, 2), refused_pod(missing, 1), {"reason": "SuccessfulCreate", "message": "Created pod"}]
    assert refusal_reason(events) == full
    created = pod("Running")
    created["metadata"]["creation_timestamp"] = NOW + timedelta(minutes=1.5)
    assert refusal_reason(events, [created]) == full
    assert refusal_reason(events[1:], [created]) is None
    assert refusal_reason([]) is None


def test_a_full_quota_is_waited_for_and_a_missing_object_is_not():
    assert may_pass("pods is forbidden: exceeded quota: gpus")
    assert not may_pass("no PriorityClass with name ml-assets-data was found")


def test_a_preempted_pod_is_distinguished_from_a_failed_one():
    target = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "PreemptionByScheduler",
        "message": "a pod of higher priority needs the node",
    }
    killed = {"terminated": {"reason": "Error", "exit_code": 137}}
    assert preemption_reason([pod(state=killed, conditions=[target])]) == (
        "its pod was disrupted, PreemptionByScheduler: a pod of higher priority needs the node"
    )
    assert (
        preemption_reason([pod(reason="Shutdown", message="Node is shutting down")])
        == "its pod was disrupted, Shutdown: Node is shutting down"
    )
    assert preemption_reason([]) == "its pod is gone, as after the loss of its node"
    assert preemption_reason([pod(state=killed)]) is None
    assert preemption_reason([pod(state=killed, conditions=[{**target, "status": "False"}])]) is None
    assert (
        preemption_reason([pod(reason="Evicted", message="Pod ephemeral local storage usage exceeds the total limit")])
        is None
    )
    assert preemption_reason([pod(reason="DeadlineExceeded")]) is None
    out_of_memory = {"terminated": {"reason": "OOMKilled", "exit_code": 137}}
    assert preemption_reason([pod(state=out_of_memory, conditions=[target])]) is None


def test_a_removed_pod_counts_as_preempted_unless_it_failed_before():
    terminated = {"terminated": {"reason": "Error", "exit_code": 1}}
    assert preemption_reason([pod(state=terminated, removed=NOW)]) == "its pod was removed"
    assert preemption_reason([pod(state=terminated)]) is None
    assert preemption_reason([pod(removed=NOW, reason="Evicted")]) is None
    assert (
        preemption_reason([pod(state={"terminated": {"reason": "OOMKilled", "exit_code": 137}}, removed=NOW)]) is None
    )


def test_a_pod_in_its_grace_period_is_waited_for():
    until = NOW + timedelta(seconds=30)
    assert is_ending(pod("Running", removed=until), NOW)
    assert is_ending(pod("Running", removed=until), until + timedelta(seconds=20))
    assert not is_ending(pod("Running", removed=until), until + timedelta(seconds=40))
    assert not is_ending(pod("Failed", removed=until), NOW)
    assert not is_ending(pod("Running"), NOW)


def test_a_pod_that_should_have_ended_is_abandoned():
    assert not is_abandoned(pod("Running"), NOW)
    assert not is_abandoned(pod("Running", removed=NOW - timedelta(seconds=29)), NOW)
    assert is_abandoned(pod("Running", removed=NOW - timedelta(seconds=30)), NOW)


def test_a_replaced_pod_is_waited_for_from_its_own_creation():
    waiting = pod("Pending")
    assert seconds_waited([], 700.0, NOW) == seconds_waited([waiting], 700.0, NOW) == 700.0
    waiting["metadata"]["creation_timestamp"] = NOW - timedelta(seconds=20)
    assert seconds_waited([waiting], 700.0, NOW) == 20.0


def test_while_nothing_replaces_a_lost_pod_the_wait_counts_from_the_loss():
    lost = pod("Running", removed=NOW - timedelta(seconds=90))
    assert seconds_waited([lost], 700.0, NOW) == 60.0
    waiting = pod("Pending")
    waiting["metadata"]["creation_timestamp"] = NOW - timedelta(seconds=20)
    assert seconds_waited([lost, waiting], 700.0, NOW) == 20.0


@pytest.mark.parametrize(("body", "answer"), [('{"message": "no quota"}', "no quota"), ("<html>", "refused")])
def test_the_answer_of_the_api_is_its_message(body, answer):
    error = ValueError("refused")
    error.body = body  # type: ignore[attr-defined]
    assert api_answer(error) == answer


def test_a_job_has_ended_by_its_conditions_even_without_a_count_of_pods():
    assert has_ended({"conditions": [{"type": "Failed", "status": "True"}], "failed": None})
    assert has_ended({"conditions": [{"type": "Suspended", "status": "False"}, {"type": "Complete", "status": "True"}]})
    assert not has_ended({"conditions": [{"type": "Failed", "status": "False"}]})
    assert not has_ended({"conditions": [{"type": "Suspended", "status": "True"}]})
    assert not has_ended({"conditions": None})
