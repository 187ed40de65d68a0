"""What Kubernetes says of a pod is told in words that name what to change."""

from datetime import UTC, datetime, timedelta

from ml_assets.core.kubernetes.pod_failures import (
    has_started,
    is_ending,
    is_over,
    preemption,
    why_failed,
    why_refused,
    why_waiting,
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
    said = why_failed(pod(state={"terminated": {"reason": "OOMKilled", "exit_code": 137}}))
    assert said
    assert "2Gi" in said
    assert "compute.memory" in said


def test_a_pod_that_ran_too_long_names_the_bound_and_the_field():
    said = why_failed(
        pod(reason="DeadlineExceeded", message="Pod was active on the node longer than the specified deadline")
    )
    assert said == "it ran longer than 60 s; max_runtime under compute or compute.data allows no more"


def test_an_evicted_pod_has_the_reason_of_kubernetes():
    said = why_failed(pod(reason="Evicted", message="The node was low on resource: memory."))
    assert said == "Kubernetes ended it, Evicted: The node was low on resource: memory."


def test_a_container_that_failed_has_its_exit_code_and_message():
    said = why_failed(pod(state={"terminated": {"reason": "StartError", "exit_code": 128, "message": "no such file"}}))
    assert said == "its container ended with exit code 128 (StartError): no such file"


def test_a_pod_that_is_well_has_no_reason():
    assert why_failed(pod("Running", {"running": {}})) is None
    assert why_failed(pod("Succeeded", {"terminated": {"reason": "Completed", "exit_code": 0}})) is None


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
        why_waiting(pod("Pending", conditions=[unschedulable]))
        == "Unschedulable: 0/3 nodes: 3 Insufficient nvidia.com/gpu."
    )
    pulling = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    assert why_waiting(pod("Pending", pulling)) == "ImagePullBackOff: Back-off pulling image"
    assert why_waiting(pod("Pending")) == "Kubernetes does not say why"


def test_what_nobody_frees_is_a_refusal_and_a_full_quota_is_not():
    refused = {"reason": "FailedCreate", "message": "no PriorityClass with name ml-assets-data was found"}
    full = {"reason": "FailedCreate", "message": "pods is forbidden: exceeded quota: gpus"}
    assert why_refused([{"reason": "SuccessfulCreate", "message": "Created pod"}, full]) is None
    assert why_refused([full, refused]) == "no PriorityClass with name ml-assets-data was found"


def test_a_pod_that_had_to_go_for_others_is_told_from_one_that_failed_by_itself():
    target = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "PreemptionByScheduler",
        "message": "a pod of higher priority needs the node",
    }
    killed = {"terminated": {"reason": "Error", "exit_code": 137}}
    assert preemption([pod(state=killed, conditions=[target])]) == (
        "its pod had to go, PreemptionByScheduler: a pod of higher priority needs the node"
    )
    assert (
        preemption([pod(reason="Shutdown", message="Node is shutting down")])
        == "its pod had to go, Shutdown: Node is shutting down"
    )
    assert preemption([]) == "its pod is gone, as after the loss of its node"
    assert preemption([pod(state=killed)]) is None
    assert preemption([pod(state=killed, conditions=[{**target, "status": "False"}])]) is None
    assert (
        preemption([pod(reason="Evicted", message="Pod ephemeral local storage usage exceeds the total limit")]) is None
    )
    assert preemption([pod(reason="DeadlineExceeded")]) is None
    out_of_memory = {"terminated": {"reason": "OOMKilled", "exit_code": 137}}
    assert preemption([pod(state=out_of_memory, conditions=[target])]) is None


def test_a_pod_that_somebody_removed_had_to_go_and_one_that_failed_before_did_not():
    told = {"terminated": {"reason": "Error", "exit_code": 1}}
    assert preemption([pod(state=told, removed=NOW)]) == "its pod was removed"
    assert preemption([pod(state=told)]) is None
    assert preemption([pod(removed=NOW, reason="Evicted")]) is None
    assert preemption([pod(state={"terminated": {"reason": "OOMKilled", "exit_code": 137}}, removed=NOW)]) is None


def test_a_pod_that_was_told_to_end_is_waited_for_until_its_time_is_over():
    until = NOW + timedelta(seconds=30)
    assert is_ending(pod("Running", removed=until), NOW)
    assert is_ending(pod("Running", removed=until), until + timedelta(seconds=20))
    assert not is_ending(pod("Running", removed=until), until + timedelta(seconds=40))
    assert not is_ending(pod("Failed", removed=until), NOW)
    assert not is_ending(pod("Running"), NOW)


def test_a_job_is_over_when_kubernetes_says_so_also_where_it_counts_no_pod():
    assert is_over({"conditions": [{"type": "Failed", "status": "True"}], "failed": None})
    assert is_over({"conditions": [{"type": "Suspended", "status": "False"}, {"type": "Complete", "status": "True"}]})
    assert not is_over({"conditions": [{"type": "Failed", "status": "False"}]})
    assert not is_over({"conditions": [{"type": "Suspended", "status": "True"}]})
    assert not is_over({"conditions": None})
