"""The step executor of production: memory by input size, the reason when a pod fails or does not start, and steps that
share the pod of their run.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import forkserver
from types import SimpleNamespace

import pytest
from dagster._core.execution.retries import RetryMode, RetryState
from dagster._utils.error import SerializableErrorInfo
from kubernetes.client import ApiException, V1Job, V1JobStatus, V1Pod, V1PodStatus
from kubernetes.client import models as k8s

from ml_assets.core.kubernetes.pod_spec import plain_pod
from ml_assets.core.model_spec import ModelSpec
from ml_assets.resources.kubernetes import shared_pod
from ml_assets.resources.kubernetes import step_pods as module
from ml_assets_tests.kubernetes.forked import run_code
from ml_assets_tests.kubernetes.jobs import (
    definitions_of,
    executor_and_handler,
    make_run,
    step_contexts,
    step_handler,
    submitted,
)

pytestmark = pytest.mark.clock

OWN_PODS = {"data": {"share_pod": False}}
RULE = {"base": "1Gi", "per_input_byte": 2, "maximum": "8Gi"}


def launched(instance, spec: ModelSpec, stage="features", size=0, launch=True, **config):
    """Launch the step of a stage in a run of the daily job; return the step handler and the context of the step."""
    job = definitions_of(spec).resolve_job_def(f"{spec.name}_daily")
    handler = step_handler(instance, job, lambda context: size, config)
    context = step_contexts(instance, job, make_run(instance, job))[f"{spec.name}__{stage}"]
    if launch:
        list(handler.launch_step(context))
    api = handler._jobs._api_client
    api.batch_api.read_namespaced_job_status.return_value = V1Job(status=V1JobStatus(active=1))
    set_cluster_state(handler, pods=[])
    return handler, context


def set_cluster_state(handler, pods=(), events=(), failed=False):
    """Set the pods, events and job status that the cluster reports from now on."""
    api = handler._jobs._api_client
    api.core_api.list_namespaced_pod.return_value = SimpleNamespace(items=list(pods))
    api.core_api.list_namespaced_event.return_value = SimpleNamespace(items=list(events))
    if failed:
        api.batch_api.read_namespaced_job_status.return_value = V1Job(status=V1JobStatus(failed=1))


def pod(phase, removed=None, **status):
    limits = k8s.V1ResourceRequirements(limits={"memory": "2Gi"})
    container = k8s.V1Container(name="dagster", resources=limits)
    return V1Pod(
        metadata=k8s.V1ObjectMeta(name="pod", deletion_timestamp=removed),
        spec=k8s.V1PodSpec(containers=[container]),
        status=V1PodStatus(phase=phase, **status),
    )


def event(reason, message):
    job_reference = k8s.V1ObjectReference(name="job")
    return k8s.CoreV1Event(
        involved_object=job_reference,
        metadata=k8s.V1ObjectMeta(name="e"),
        reason=reason,
        message=message,
        first_timestamp=datetime.now(UTC),
    )


def was_removed(handler):
    return handler._jobs._api_client.batch_api.delete_namespaced_job.called


def limits_of(handler):
    (job,) = submitted(handler._jobs._api_client)
    return job.spec.template.spec.containers[0].resources


def test_memory_follows_the_input_size_of_the_step_at_its_launch(instance, make_spec):
    handler, _ = launched(instance, make_spec(compute={"data": {"memory": RULE}}), size=2**30)
    resources = limits_of(handler)
    assert resources.requests["memory"] == resources.limits["memory"] == "3072Mi"
    assert resources.limits["cpu"] == "1"


def test_a_fixed_amount_of_memory_ignores_the_input_size(instance, make_spec):
    handler, _ = launched(instance, make_spec(compute={"data": {"memory": "3Gi", "share_pod": False}}), size=2**40)
    assert limits_of(handler).limits["memory"] == "3Gi"


def test_a_step_without_tags_gets_a_small_pod_that_meets_the_restricted_standard(instance, make_spec):
    spec = make_spec(compute=OWN_PODS)
    job = definitions_of(spec).resolve_job_def("small_daily")
    handler = step_handler(instance, job)
    context = step_contexts(instance, job, make_run(instance, job))["small__features"]
    list(handler.launch_step(module._WithTags(context, {"small__features": {}})))
    (submitted_job,) = submitted(handler._jobs._api_client)
    container = submitted_job.spec.template.spec.containers[0]
    assert container.resources.limits == plain_pod()["container_config"]["resources"]["limits"]
    assert container.security_context.capabilities.drop == ["ALL"]
    assert submitted_job.spec.template.spec.active_deadline_seconds == 6 * 60 * 60


def test_the_run_config_can_change_the_pod_of_one_step(instance, make_spec):
    spec = make_spec(compute=OWN_PODS)
    job = definitions_of(spec).resolve_job_def("small_daily")
    more = {"container_config": {"resources": {"limits": {"memory": "9Gi"}, "requests": {"memory": "9Gi"}}}}
    handler = step_handler(instance, job, config={"per_step_k8s_config": {"small__features": more}})
    list(handler.launch_step(step_contexts(instance, job, make_run(instance, job))["small__features"]))
    assert limits_of(handler).limits == {"cpu": "1", "memory": "9Gi"}


def test_a_step_whose_pod_runs_is_healthy(instance, make_spec):
    handler, context = launched(instance, make_spec(compute=OWN_PODS))
    set_cluster_state(handler, [pod("Running")])
    assert handler.check_step_health(context).is_healthy


def health_after_running_out_of_memory(handler, context):
    ended = k8s.V1ContainerState(terminated=k8s.V1ContainerStateTerminated(exit_code=137, reason="OOMKilled"))
    status = k8s.V1ContainerStatus(name="dagster", state=ended, image="i", image_id="i", ready=False, restart_count=0)
    set_cluster_state(handler, [pod("Failed", container_statuses=[status])], failed=True)
    return handler.check_step_health(context)


def test_a_step_that_ran_out_of_the_memory_of_the_launchpad_names_the_launchpad(instance, make_spec):
    config = {"container_config": {"resources": {"limits": {"memory": "256Mi"}}}}
    handler, context = launched(instance, make_spec(), per_step_k8s_config={"small__features": config})
    [container] = submitted(handler._jobs._api_client)[0].spec.template.spec.containers
    assert container.resources.limits["memory"] == "256Mi"
    health = health_after_running_out_of_memory(handler, context)
    assert "which per_step_k8s_config in the launchpad of this run sets" in health.unhealthy_reason


@pytest.mark.parametrize(("stage", "field"), [("trained_model", "compute.memory"), ("features", "compute.data.memory")])
def test_a_step_that_ran_out_of_memory_says_so_and_what_to_raise_first(instance, make_spec, stage, field):
    handler, context = launched(instance, make_spec(compute=OWN_PODS), stage)
    health = health_after_running_out_of_memory(handler, context)
    assert not health.is_healthy
    reason = f"it needed more than its memory of 2Gi; raise {field} in the defs.yaml of its model. "
    assert health.unhealthy_reason.startswith(reason)


@pytest.mark.parametrize(
    ("lost", "attempts", "event"),
    [
        ([], 0, "STEP_UP_FOR_RETRY"),
        ([{"reason": "Shutdown", "message": "Node is shutting down"}], 2, "STEP_UP_FOR_RETRY"),
        ([{"reason": "Shutdown", "message": "Node is shutting down"}], 3, "STEP_FAILURE"),
        ([{"reason": "Evicted", "message": "The node was low on resource: memory."}], 0, "STEP_FAILURE"),
    ],
)
def test_a_step_is_retried_if_its_pod_was_lost_but_not_if_it_failed_itself(instance, make_spec, lost, attempts, event):
    job = definitions_of(make_spec(compute=OWN_PODS)).resolve_job_def("small_daily")
    executor, handler = executor_and_handler(instance, job)
    run = make_run(instance, job)
    context = step_contexts(instance, job, run)["small__features"]
    list(handler.launch_step(context))
    set_cluster_state(handler, [pod("Failed", **status) for status in lost], failed=True)
    health = handler.check_step_health(context)
    assert not health.is_healthy
    state = RetryState({"small__features": attempts})
    known_state = SimpleNamespace(get_retry_state=lambda: state)
    step = context.get_step_context("small__features")
    logged_event = executor.log_failure_or_retry_event_after_error(
        _Retrying(step), SerializableErrorInfo(health.unhealthy_reason, [], None), known_state
    )
    assert logged_event.event_type_value == event


def test_a_pod_that_is_terminating_counts_as_lost_only_after_its_grace_period(instance, make_spec):
    handler, context = launched(instance, make_spec(compute=OWN_PODS))
    set_cluster_state(handler, [pod("Running", removed=datetime.now(UTC) + timedelta(hours=1))], failed=True)
    assert handler.check_step_health(context).is_healthy
    set_cluster_state(handler, [pod("Running", removed=datetime.now(UTC) - timedelta(minutes=5))], failed=True)
    assert handler.check_step_health(context).unhealthy_reason.startswith("its pod was removed")
    assert handler.preempted == {"small__features"}


def test_a_step_without_an_event_after_its_job_ended_becomes_unhealthy(instance, make_spec):
    handler, context = launched(instance, make_spec(compute=OWN_PODS))
    api = handler._jobs._api_client
    ended = V1JobStatus(conditions=[k8s.V1JobCondition(type="Failed", status="True")])
    api.batch_api.read_namespaced_job_status.return_value = V1Job(status=ended)
    assert handler.check_step_health(context).is_healthy
    assert handler.check_step_health(context).unhealthy_reason.startswith("its pod is gone")
    set_cluster_state(handler, [pod("Succeeded")])
    assert handler.check_step_health(context).unhealthy_reason.endswith(
        "is over, and the step has not said how it ended."
    )
    api.batch_api.read_namespaced_job_status.return_value = V1Job(status=V1JobStatus(active=1))
    assert handler.check_step_health(context).is_healthy
    api.batch_api.read_namespaced_job_status.return_value = V1Job(status=ended)
    assert handler.check_step_health(context).is_healthy


class _Retrying:
    """A step in a run whose steps may be retried."""

    def __init__(self, step):
        self._step = step

    def __getattr__(self, name):
        return RetryMode.ENABLED if name == "retry_mode" else getattr(self._step, name)


def test_a_pod_without_a_node_is_removed_after_the_start_timeout_with_the_reason(instance, make_spec, monkeypatch):
    handler, context = launched(instance, make_spec(compute={"start_timeout": "10m", **OWN_PODS}))
    message = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    unscheduled = k8s.V1PodCondition(type="PodScheduled", status="False", reason="Unschedulable", message=message)
    set_cluster_state(handler, [pod("Pending", conditions=[unscheduled])])
    # The previous attempt was preempted.
    handler.preempted.add("small__features")
    assert handler.check_step_health(context).is_healthy
    assert handler.preempted == set()
    assert not was_removed(handler)
    later = module.time.monotonic() + 601
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    health = handler.check_step_health(context)
    assert health.unhealthy_reason == (
        "its pod has not started in 600 s, its compute.start_timeout: Unschedulable: 0/1 nodes are available: "
        "1 Insufficient nvidia.com/gpu; make room on a node, or request less with compute.data in the defs.yaml of its "
        "model"
    )
    assert was_removed(handler)


def test_a_pod_on_a_lost_node_does_not_hide_that_its_replacement_waits(instance, make_spec, monkeypatch):
    handler, context = launched(instance, make_spec(compute={"start_timeout": "10m", **OWN_PODS}))
    lost, waiting = pod("Running"), pod("Pending")
    set_cluster_state(handler, [lost, waiting])
    later = module.time.monotonic() + 601
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    assert handler.check_step_health(context).is_healthy
    lost.metadata.deletion_timestamp = datetime.now(UTC) - timedelta(minutes=2)
    waiting.metadata.creation_timestamp = datetime.now(UTC) - timedelta(minutes=1)
    assert handler.check_step_health(context).is_healthy
    waiting.metadata.creation_timestamp = datetime.now(UTC) - timedelta(minutes=11)
    assert "its pod has not started in 600 s" in (handler.check_step_health(context).unhealthy_reason or "")


def test_a_pod_that_cannot_be_created_fails_its_step_unless_a_quota_is_exceeded(instance, make_spec):
    handler, context = launched(instance, make_spec(compute=OWN_PODS))
    set_cluster_state(handler, events=[event("FailedCreate", "pods is forbidden: exceeded quota: gpus")])
    assert handler.check_step_health(context).is_healthy
    set_cluster_state(handler, events=[event("FailedCreate", "no PriorityClass with name ml-assets-data was found")])
    health = handler.check_step_health(context)
    assert health.unhealthy_reason == "its pod cannot be created: no PriorityClass with name ml-assets-data was found"
    assert was_removed(handler)


def test_a_quota_that_stays_full_is_named_at_the_start_timeout(instance, make_spec, monkeypatch):
    handler, context = launched(instance, make_spec(compute={"start_timeout": "10m", **OWN_PODS}))
    full = event("FailedCreate", 'pods "features" is forbidden: exceeded quota: gpus')
    set_cluster_state(handler, events=[full])
    assert handler.check_step_health(context).is_healthy
    later = module.time.monotonic() + 601
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    # A pod was lost with its node a minute ago, and the quota refuses another.
    lost = pod("Running", removed=datetime.now(UTC) - timedelta(minutes=1))
    set_cluster_state(handler, [lost], [full])
    assert handler.check_step_health(context).is_healthy
    lost.metadata.deletion_timestamp = datetime.now(UTC) - timedelta(minutes=11)
    assert handler.check_step_health(context).unhealthy_reason == (
        "its pod has not started in 600 s, its compute.start_timeout: "
        'pods "features" is forbidden: exceeded quota: gpus; '
        "free some of the quota, or raise it (quota.hard in the values of the chart)"
    )
    assert was_removed(handler)


FORBIDDEN = 'jobs.batch is forbidden: User "system:serviceaccount:ml-assets:runs" cannot create resource "jobs"'


@pytest.mark.parametrize(
    ("body", "reason"),
    [(json.dumps({"kind": "Status", "message": FORBIDDEN}), FORBIDDEN), ("a proxy", "(403)\nReason: Forbidden\n")],
)
def test_a_job_that_kubernetes_refuses_fails_its_step_with_the_answer(instance, make_spec, body, reason):
    handler, context = launched(instance, make_spec(compute=OWN_PODS), launch=False)
    refusal = ApiException(status=403, reason="Forbidden")
    refusal.body = body
    handler._jobs._api_client.batch_api.create_namespaced_job.side_effect = refusal
    list(handler.launch_step(context))
    health = handler.check_step_health(context)
    assert not health.is_healthy
    assert health.unhealthy_reason.startswith(f"its job cannot be created: {reason}")


def test_a_step_stays_healthy_if_events_may_not_be_read(instance, make_spec):
    handler, context = launched(instance, make_spec(compute=OWN_PODS))
    handler._jobs._api_client.core_api.list_namespaced_event.side_effect = ApiException(status=403)
    assert handler.check_step_health(context).is_healthy


def test_terminating_a_step_removes_its_job(instance, make_spec):
    handler, context = launched(instance, make_spec(compute=OWN_PODS))
    list(handler.terminate_step(context))
    assert was_removed(handler)


@pytest.fixture
def process_runs(monkeypatch):
    """Return a function that lets the processes of steps run other code, with nothing imported before.

    They have a server of their own: one of them kills it, and other tests need what theirs has imported.
    """
    server = forkserver.ForkServer()
    for name in ("connect_to_new_process", "ensure_running", "set_forkserver_preload"):
        monkeypatch.setattr(forkserver, name, getattr(server, name))
    monkeypatch.setattr(shared_pod, "modules_to_preload", list)
    yield lambda code: monkeypatch.setattr(shared_pod, "run_dagster", partial(run_code, code))
    server._stop()


@pytest.fixture
def shared(instance, make_spec):
    """Return the handler and the context of a step that shares the pod of its run and may run for a minute."""
    return launched(instance, make_spec(compute={"data": {"max_runtime": "1m"}}), launch=False)


def wait_for(handler, context):
    process, _ = handler._shared._processes["small__features"]
    process.join(120)
    return handler.check_step_health(context)


def test_a_step_that_shares_the_pod_runs_in_a_process_and_not_as_a_job(shared, process_runs):
    handler, context = shared
    process_runs("pass")
    list(handler.launch_step(context))
    assert wait_for(handler, context).is_healthy
    assert submitted(handler._jobs._api_client) == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit(3)", "its process ended with exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "its process was killed, as when a pod"),
        # The server of the processes, which is the largest of them at first.
        ("import os; os.getppid() > 1 and os.kill(os.getppid(), 9)", "its process was killed, as when a pod"),
    ],
)
def test_a_process_that_dies_makes_its_step_unhealthy(shared, process_runs, code, message):
    handler, context = shared
    process_runs(code)
    list(handler.launch_step(context))
    assert wait_for(handler, context).unhealthy_reason.startswith(message)


@pytest.mark.parametrize(
    ("limit", "remedy"),
    [
        (None, "give it more with compute.data.memory"),
        ("700M", "this run has 700M from its tag dagster-k8s/config; raise it there, or leave the tag as it is"),
    ],
)
def test_a_killed_process_names_what_set_the_memory_of_the_pod_of_its_run(instance, make_spec, limit, remedy):
    job = definitions_of(make_spec()).resolve_job_def("small_daily")
    config = json.loads(job.run_tags["dagster-k8s/config"])
    if limit:
        config["container_config"]["resources"]["limits"]["memory"] = limit
    tags = {**job.run_tags, "dagster/partition": "2025-01-09", "dagster-k8s/config": json.dumps(config)}
    context = step_contexts(instance, job, make_run(instance, job, tags))["small__features"]
    assert shared_pod.memory_remedy(context) == remedy


def test_a_process_that_exceeds_its_maximum_runtime_is_ended(shared, process_runs, monkeypatch):
    handler, context = shared
    # It ignores SIGTERM where this process does, as in the background of a shell.
    handler._shared._seconds_to_terminate = 0.2
    process_runs("import time; time.sleep(600)")
    list(handler.launch_step(context))
    assert handler.check_step_health(context).is_healthy
    later = time.monotonic() + 61
    # Only for the module: `Process.join` reads the same clock, and would wait forever if it stood still.
    monkeypatch.setattr(shared_pod, "time", SimpleNamespace(monotonic=lambda: later))
    assert (
        handler.check_step_health(context).unhealthy_reason
        == "it ran longer than 60 s; compute.data.max_runtime allows no more"
    )
    assert handler._shared._processes["small__features"][0].exitcode is not None


def test_a_process_that_ignores_sigterm_is_killed_when_its_run_is_terminated(shared, process_runs, tmp_path):
    handler, context = shared
    handler._shared._seconds_to_terminate = 0.2
    ready = tmp_path / "ready"
    code = (
        "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(600)"
    )
    process_runs(code)
    list(handler.launch_step(context))
    while not ready.exists():
        time.sleep(0.02)
    list(handler.terminate_step(context))
    assert handler._shared._processes["small__features"][0].exitcode == -9


def test_a_process_of_an_earlier_pod_makes_its_step_unhealthy(shared):
    handler, context = shared
    assert "gone with an earlier pod" in handler.check_step_health(context).unhealthy_reason


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        ({}, True),
        ({"data": {"share_pod": False}}, False),
        ({"data": {"memory": RULE}}, False),
        ({"service_account": "fraud-detection"}, False),
    ],
)
def test_data_steps_share_the_pod_of_their_run_where_it_can_be_sized_and_has_their_account(
    instance, make_spec, compute, expected
):
    handler, context = launched(instance, make_spec(compute=compute), launch=False)
    assert handler.shares_pod(context) is expected


MORE = {"container_config": {"resources": {"limits": {"memory": "9Gi"}}}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, True),
        ({"per_step_k8s_config": {"small__raw_data": MORE}}, True),
        ({"per_step_k8s_config": {"small__features": MORE}}, False),
        ({"step_k8s_config": MORE}, False),
    ],
)
def test_a_step_whose_pod_the_run_configures_gets_it(instance, make_spec, config, expected):
    handler, context = launched(instance, make_spec(), launch=False, **config)
    assert handler.shares_pod(context) is expected


def test_steps_get_their_own_pods_where_the_pod_of_the_run_was_not_sized_for_them(instance, make_spec):
    job = definitions_of(make_spec()).resolve_job_def("small_daily")
    run = make_run(instance, job)._replace(tags={"dagster/partition": "2025-01-09"})
    handler = step_handler(instance, job)
    list(handler.launch_step(step_contexts(instance, job, run)["small__features"]))
    assert len(submitted(handler._jobs._api_client)) == 1


# What the run monitoring of dagster-k8s writes into the event of the failure.
LOST_NODE = "Detected run worker status UNKNOWN: 'None'. Marking run as failed."
KILLED = "Marking run as failed.\nContainer 'dagster' status: Terminated with exit code 137: OOMKilled"


@pytest.mark.parametrize(
    ("failures", "expected"),
    [([LOST_NODE], True), ([KILLED], False), ([KILLED, LOST_NODE], False)],
    ids=["lost node", "memory", "memory, then lost node"],
)
def test_a_retried_run_shares_its_pod_unless_it_ran_out_of_memory(instance, make_spec, failures, expected):
    job = definitions_of(make_spec()).resolve_job_def("small_daily")
    run = make_run(instance, job)
    for attempt, message in enumerate(failures, 1):
        instance.report_run_failed(run, message)
        retry = make_run(instance, job, {**run.tags, "dagster/retry_number": str(attempt)})
        run = retry._replace(parent_run_id=run.run_id, root_run_id=run.root_run_id or run.run_id)
        instance.delete_run(run.run_id)
        instance.add_run(run)
    handler = step_handler(instance, job)
    assert handler.shares_pod(step_contexts(instance, job, run)["small__features"]) is expected


def test_training_never_shares_a_pod(instance, make_spec):
    handler, context = launched(instance, make_spec(), "trained_model")
    assert not handler.shares_pod(context)
    assert len(submitted(handler._jobs._api_client)) == 1


def test_the_server_of_step_processes_imports_what_steps_import():
    imported = set(shared_pod.modules_to_preload())
    assert {"xgboost", "mlflow", "ml_assets.pipeline.component"} <= imported
    assert "pytest" not in imported
