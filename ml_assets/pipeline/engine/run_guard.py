"""A guard that stops a run whose end Dagster has recorded, and a step whose time is over."""

import time
from collections.abc import Callable
from datetime import timedelta

import dagster as dg

from ml_assets.core.model_spec.types.durations import format_duration

ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
    dg.DagsterRunStatus.CANCELING,
]


class RunEnded(Exception):
    """Dagster counts the run as ended, or the step has used up its time, while the process still works. The message
    says what to do.
    """


def run_has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return whether Dagster counts a run as ended or cancels it; False for a run that the instance does not know."""
    # Counting does not load the record of the run, which holds its whole selection and all tags.
    return instance.get_runs_count(dg.RunsFilter(run_ids=[run_id], statuses=ENDED)) > 0


class RunGuard:
    """Refuses to publish from a run that has ended, and limits how long a step may take."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        run_id: str,
        max_runtime: timedelta,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Start the clock of the step.

        Args:
            instance: the Dagster instance that knows the run.
            run_id: the run.
            max_runtime: how long the step may take.
            clock: monotonic clock in seconds.
        """
        self._instance = instance
        self._run_id = run_id
        self._max_runtime = max_runtime
        self._clock = clock
        self._started = clock()

    def check_before_publishing(self) -> None:
        """Check that the run may still publish what it has made.

        Raises:
            RunEnded: when it was cancelled or has ended, for example because it took too long or its worker was
                considered lost.
        """
        if run_has_ended(self._instance, self._run_id):
            run = self._instance.get_run_by_id(self._run_id)
            status = run.status.value if run else "gone"
            raise RunEnded(
                f"run {self._run_id} is {status} for Dagster, but its process was still at work; it publishes nothing "
                "more, since a newer run may have. What it has committed stays; materialize the other days again"
            )

    def time_limit_error(self) -> RunEnded | None:
        """Return the error to raise if the step has used up its time, else None."""
        if self._clock() - self._started <= self._max_runtime.total_seconds():
            return None
        return RunEnded(
            f"the step ran longer than {format_duration(self._max_runtime)}, the max_runtime under compute or "
            "compute.data. What it has committed stays; materialize the other days again, or let one run make fewer "
            "days with backfill.days_per_run"
        )
