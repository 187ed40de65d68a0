"""Dagster's own daemons with the settings of dagster.yaml: one run at a time for a model, only the newest day after
downtime, and dead runs that end.
"""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import dagster as dg
import pytest
from dagster._core.events import RunFailureReason
from dagster._core.execution.plan.resume_retry import ReexecutionStrategy
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._core.launcher import WorkerStatus
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.run_coordinator import SubmitRunContext
from dagster._core.scheduler import DagsterDaemonScheduler
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.dagster_run import DagsterRunStatus
from dagster._core.test_utils import create_run_for_test, create_test_daemon_workspace_context, freeze_time
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import (
    DEFAULT_REEXECUTION_POLICY,
    get_reexecution_strategy,
)
from dagster._daemon.backfill import execute_backfill_iteration_loop
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster._scheduler.scheduler import launch_scheduled_runs

from ml_assets.core.kubernetes.pod_spec import SHARES_POD
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import asset_key
from ml_assets.pipeline.automation.freshness import newest_day_check
from ml_assets.pipeline.automation.jobs import daily_job, features_job
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.resources.dagster_instance.run_launcher import MonitoredRunLauncher
from ml_assets.resources.dagster_internals.run_queue import PooledRunCoordinator
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import day, rows_of
from ml_assets_tests.support.local_instance import LocalInstance

pytestmark = pytest.mark.clock


@pytest.fixture
def local(tmp_path: Path) -> LocalInstance:
    """Set up an instance with the repository's dagster.yaml and one model whose landing is a directory."""
    return LocalInstance(tmp_path, [{**SMALL, "source": {"files": "{day}/*", "start": "2025-01-01"}}])


@pytest.fixture
def instance(local: LocalInstance) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(local.home)) as instance:
        yield instance


@pytest.fixture
def workspace(
    local: LocalInstance, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorkspaceProcessContext]:
    """Load the code location as the daemon does, in a separate process."""
    for name in ("ML_ASSETS_LANDING", "ML_ASSETS_LAKE", "MLFLOW_TRACKING_URI", "DAGSTER_HOME", "ML_ASSETS_DEPLOY"):
        monkeypatch.setenv(name, local.environment[name])
    with create_test_daemon_workspace_context(WorkspaceFileTarget([str(local.workspace)]), instance) as context:
        yield context


def land(local: LocalInstance, *days: date) -> None:
    for landed_day in days:
        folder = local.landing / str(landed_day)
        folder.mkdir(parents=True)
        rows_of(landed_day).to_parquet(folder / "rows.parquet")


def tick(workspace: WorkspaceProcessContext, instance: dg.DagsterInstance, now: datetime) -> None:
    """Evaluate the schedules as the scheduler daemon does at a given time."""
    assert isinstance(instance.scheduler, DagsterDaemonScheduler)
    max_catchup_runs = instance.scheduler.max_catchup_runs
    with freeze_time(now):
        assert not [
            error
            for error in launch_scheduled_runs(
                workspace, logging.getLogger(), now, {}, max_catchup_runs=max_catchup_runs
            )
            if isinstance(error, str)
        ]


def daily_runs(instance: dg.DagsterInstance) -> list[str]:
    """List the days of the runs of the daily job."""
    return [run.tags["dagster/partition"] for run in instance.get_runs(dg.RunsFilter(job_name="small_daily"))]


@pytest.mark.slow
def test_after_days_of_downtime_the_schedule_launches_the_newest_day_only(local, workspace, instance):
    land(local, *(day(number) for number in range(1, 9)))
    tick(workspace, instance, datetime(2025, 1, 5, 12, tzinfo=UTC))
    assert daily_runs(instance) == []
    tick(workspace, instance, datetime(2025, 1, 9, 12, tzinfo=UTC))
    assert daily_runs(instance) == ["2025-01-08"]
    tick(workspace, instance, datetime(2025, 1, 13, 12, tzinfo=UTC))
    (state,) = [state for state in instance.all_instigator_state() if state.instigator_name == "small_daily"]
    newest, previous = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=5)
    assert (previous.status, newest.status) == (TickStatus.SUCCESS, TickStatus.SKIPPED)
    assert "no files of small have landed for 2025-01-12" in (newest.skip_reason or "")
    assert len(daily_runs(instance)) == 1


def queue_run(instance: dg.DagsterInstance, model: str, job: str, *names: str) -> str:
    """Queue a run of a job, or of assets without a job, as a backfill or the UI launches it, and return its id."""
    spec = ModelSpec.model_validate({**SMALL, "name": model})
    no_resources = {
        name: dg.ResourceDefinition.none_resource()
        for name in ("lake", "landing", "registry", "tracking", "deploy_target")
    }
    defs = dg.Definitions(
        assets=build_assets(spec),
        asset_checks=[newest_day_check(spec)],
        jobs=[daily_job(spec), features_job(spec)],
        resources=no_resources,
    )
    job_definition = (
        defs.resolve_implicit_global_asset_job_def() if job == "assets" else defs.resolve_job_def(f"{model}_{job}")
    )
    selection = frozenset(asset_key(spec, name) for name in names) if names else None
    origin = RemoteJobOrigin(
        RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("ml_assets"), "__repository__"), job_definition.name
    )
    subset = job_definition.get_subset(asset_selection=selection)
    run = instance.create_run_for_job(
        subset, status=DagsterRunStatus.NOT_STARTED, asset_selection=selection, remote_job_origin=origin
    )
    # The queue does not need the workspace.
    return instance.run_coordinator.submit_run(SubmitRunContext(run, None)).run_id


def startable_runs(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs that the daemon of the queue would start now."""
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    return {
        run.run_id
        for run in daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), fixed_iteration_time=None)
    }


def test_one_run_of_a_model_starts_at_a_time_whatever_launched_it_and_other_models_are_not_held_up(instance):
    scheduled, backfilled, by_hand = (
        queue_run(instance, "one", "daily"),
        queue_run(instance, "one", "assets", "raw_data", "features"),
        queue_run(instance, "one", "assets", "trained_model"),
    )
    other = queue_run(instance, "two", "features")
    assert startable_runs(instance) == {scheduled, other}
    for run_id in (scheduled, other):
        instance.handle_new_event(start_event(run_id))
    assert startable_runs(instance) == set()
    instance.report_run_failed(instance.get_run_by_id(scheduled))
    assert startable_runs(instance) == {backfilled}
    instance.report_run_canceled(instance.get_run_by_id(backfilled))
    assert startable_runs(instance) == {by_hand}


def test_the_daemon_polls_backfills_every_two_seconds(instance):
    class Clock(threading.Event):
        waited: ClassVar[list[float]] = []

        def wait(self, timeout: float | None = None) -> bool:
            self.waited.append(timeout or 0.0)
            return False

    assert isinstance(instance.run_coordinator, PooledRunCoordinator)
    daemon = SimpleNamespace(instance=instance)
    list(execute_backfill_iteration_loop(daemon, logging.getLogger(), Clock(), until=time.time() + 0.2))
    # The duration of an iteration is subtracted, and on a busy machine it is long.
    assert 1.0 < max(Clock.waited) <= 2.0


def test_the_daemon_evaluates_freshness_policies(instance):
    assert "FRESHNESS_DAEMON" in instance.get_required_daemon_types()


def test_a_pool_limit_that_a_user_has_set_is_kept(instance):
    instance.event_log_storage.set_concurrency_slots("one", 2)
    queue_run(instance, "one", "daily")
    assert instance.event_log_storage.get_concurrency_info("one").slot_count == 2


def start_event(run_id: str) -> dg.EventLogEntry:
    event = dg.DagsterEvent("PIPELINE_START", "job")
    return dg.EventLogEntry(None, "debug", "", run_id, datetime.now(UTC).timestamp(), dagster_event=event)


def test_a_run_in_process_needs_no_slot_of_the_pool(instance):
    @dg.asset(pool="one")
    def anything() -> int:
        return 1

    instance.handle_new_event(start_event(queue_run(instance, "one", "daily")))
    assert dg.materialize([anything], instance=instance).success


def test_a_local_run_has_no_tags_of_its_pod(instance):
    tags = {"model": "one", "dagster-k8s/config": "{}", SHARES_POD: "true"}
    stored = instance.get_run_by_id(create_run_for_test(instance, tags=tags).run_id)
    assert stored is not None
    assert {name for name in stored.tags if name in tags} == {"model"}


def test_a_run_whose_code_server_is_gone_counts_as_failed_and_a_run_without_one_as_running(instance, tmp_path):
    launcher, run_id = instance.run_launcher, queue_run(instance, "one", "daily")
    assert isinstance(launcher, MonitoredRunLauncher)
    assert launcher.supports_check_run_worker_health
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    instance.add_run_tags(run_id, {".dagster/grpc_info": f'{{"host": "localhost", "socket": "{tmp_path}/gone"}}'})
    health = launcher.check_run_worker_health(run)
    assert (health.status, health.msg) == (WorkerStatus.FAILED, "the code server that started the run is gone")


def test_a_lost_worker_is_replaced_once_and_a_failed_step_is_not(instance):
    lost, failed = (create_run_for_test(instance, status=DagsterRunStatus.FAILURE) for _ in range(2))
    assert auto_reexecution_should_retry_run(instance, lost, RunFailureReason.UNKNOWN)
    assert not auto_reexecution_should_retry_run(instance, failed, RunFailureReason.STEP_FAILURE)
    retry_tags = {"dagster/root_run_id": lost.run_id, "dagster/parent_run_id": lost.run_id}
    retry = create_run_for_test(
        instance, status=DagsterRunStatus.FAILURE, parent_run_id=lost.run_id, root_run_id=lost.run_id, tags=retry_tags
    )
    assert not auto_reexecution_should_retry_run(instance, retry, RunFailureReason.UNKNOWN)
    assert get_reexecution_strategy(lost, instance) is None
    assert DEFAULT_REEXECUTION_POLICY is ReexecutionStrategy.FROM_FAILURE
