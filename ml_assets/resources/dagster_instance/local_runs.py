"""How a local instance queues and launches runs: as Dagster does, but never two of a model from the start, and none
that is dead for long.
"""

from collections.abc import Mapping
from typing import Any, cast

from dagster import DagsterRun
from dagster._config.config_schema import UserConfigSchema
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._serdes import ConfigurableClassData

from ml_assets.resources.dagster_instance.dead_runs import is_dead


class PooledRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue, with the limit of a pool in force from its first run on, and a daemon that looks at backfills
    more often.

    Dagster gives a pool its default limit when the daemon first finds a run of it in the queue, and lets all that it
    finds at that moment start. Its daemon looks at backfills every 30 seconds, to begin them and to find them ended: a
    constant, which `backfill_interval_seconds` replaces in the process that uses this queue.
    """

    def __init__(self, backfill_interval_seconds: int, inst_data: ConfigurableClassData | None = None, **of_queue: Any):
        from dagster._daemon import controller

        super().__init__(inst_data=inst_data, **of_queue)
        controller.DEFAULT_DAEMON_INTERVAL_SECONDS = backfill_interval_seconds

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """The settings of Dagster's queue, and the seconds between two looks at backfills."""
        return {**cast("Mapping[str, Any]", super().config_type()), "backfill_interval_seconds": int}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledRunCoordinator":
        """The queue that dagster.yaml describes."""
        return cls(inst_data=inst_data, **config_value)

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Put a run in the queue."""
        concurrency = context.dagster_run.run_op_concurrency
        storage = self._instance.event_log_storage
        # A limit that somebody has set would be put back.
        for pool in set(concurrency.all_pools or () if concurrency else ()) - storage.get_concurrency_keys():
            storage.initialize_concurrency_limit_to_default(pool)
        return super().submit_run(context)


class WatchfulRunLauncher(DefaultRunLauncher):
    """Launches runs as Dagster's default, and lets run monitoring mark those failed whose process is gone, as after a
    restart of the machine.

    A code server notices itself when a process dies that it started; this is for when the server is gone as well, and
    for runs that no code server started, such as those of `make run`.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: run monitoring asks for the health of each run in progress."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the code server that started the run still has its process, or the process that marked it as its own
        is there.
        """
        from dagster._core.errors import DagsterUserCodeUnreachableError
        from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
        from dagster._serdes import deserialize_value

        client = self._get_grpc_client_for_termination(run.run_id)
        if client is None:
            dead = is_dead(self._instance, run.run_id)
            return CheckRunHealthResult(
                WorkerStatus.FAILED if dead else WorkerStatus.RUNNING,
                "the process of the run is gone" if dead else None,
            )
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.FAILED, "the code server that started the run is gone")
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the process of the run is gone")
