"""Whether a run may go on: one that was cancelled, or marked as failed, publishes nothing more, and a step stops when
its time is over.
"""

import time
from collections.abc import Callable
from datetime import timedelta

import dagster as dg

from ml_assets.core.model_spec.types.durations import format_duration


class RunOver(Exception):
    """A run has ended for Dagster, or a step has had its time, while the process goes on; the message says so, and what
    to do.
    """


def run_has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether Dagster has somebody's request to cancel a run, or counts it as ended. A run that the instance does not
    know goes on.
    """
    found = instance.get_run_by_id(run_id)
    return found is not None and (found.is_finished or found.status is dg.DagsterRunStatus.CANCELING)


class RunGuard:
    """Stands between a step and what others see of it."""

    def __init__(
        self, instance: dg.DagsterInstance, run_id: str, longest: timedelta, clock: Callable[[], float] = time.monotonic
    ):
        """Begin to count the time. `longest`: how long the step may take."""
        self._instance, self._run_id, self._longest, self._clock = instance, run_id, longest, clock
        self._began = clock()

    def before_publishing(self) -> None:
        """Let the run publish what it has made.

        Raises:
            RunOver: when it was cancelled or has ended, as when it took too long or its worker was taken for lost.
        """
        if run_has_ended(self._instance, self._run_id):
            found = self._instance.get_run_by_id(self._run_id)
            status = found.status.value if found else "gone"
            raise RunOver(
                f"run {self._run_id} is {status} for Dagster, but its process was still at work; it publishes nothing more, since a newer run may "
                "have. What it committed before stays; materialise the other days again"
            )

    def out_of_time(self) -> RunOver | None:
        """That the step has had its time; None while it has not."""
        if self._clock() - self._began <= self._longest.total_seconds():
            return None
        return RunOver(
            f"the step ran longer than {format_duration(self._longest)}; max_runtime under compute or compute.data allows no more. What it committed "
            "stays; materialise the other days again, or let one run make fewer days with backfill.days_per_run"
        )
