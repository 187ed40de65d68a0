"""Dagster's run launcher for a local instance, with a check that the process of a run is still there."""

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus


class WatchfulRunLauncher(DefaultRunLauncher):
    """Launches runs as Dagster's default, and lets run monitoring mark those failed whose process is gone, as after a restart of the machine.

    A code server notices itself when a process dies that it started; this is for when the server is gone as well. A run that no code server
    started, such as that of `make run`, counts as running until it says otherwise or exceeds the longest run time.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: run monitoring asks for the health of each run in progress."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the code server that started the run still has its process."""
        from dagster._core.errors import DagsterUserCodeUnreachableError
        from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
        from dagster._serdes import deserialize_value

        client = self._get_grpc_client_for_termination(run.run_id)
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.FAILED, "the code server that started the run is gone")
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the process of the run is gone")
