"""Health checks of run workers in the default run launcher.

Reason: the default launcher does not support run monitoring, so a run whose process died with the machine stays in
progress and blocks the queue of its model. A code server notices the death of a process that it started itself; this
launcher is for when the server is gone as well, or could not report the death because the database was away (the thread
that does so ends for good), and for runs that no code server started, such as those of `ml-assets run`.
Public API that would replace it: health checks of run workers in `dagster.DefaultRunLauncher`.
"""

from abc import abstractmethod

from dagster import DagsterInstance, DagsterRun, DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus


class HealthCheckingRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher, with health checks for run monitoring."""

    @abstractmethod
    def is_alive(self, instance: DagsterInstance, run_id: str) -> bool | None:
        """Return whether the process of a run still exists; None if that is not known."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Return True: run monitoring checks the health of each run in progress."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Check that the process of a run still exists, with `is_alive`, or else by its code server."""
        from dagster._core.errors import DagsterUserCodeUnreachableError
        from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
        from dagster._serdes import deserialize_value

        is_alive = self.is_alive(self._instance, run.run_id)
        if is_alive is False:
            return CheckRunHealthResult(WorkerStatus.FAILED, "the process of the run is gone")
        client = self._get_grpc_client_for_termination(run.run_id)
        # Another code server at the same address does not know the run.
        if is_alive or client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            response = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.FAILED, "the code server that started the run is gone")
        if deserialize_value(response, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the process of the run is gone")
