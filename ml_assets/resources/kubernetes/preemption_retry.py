"""Another attempt for a step whose pod was lost through no fault of its own."""

from collections.abc import Set
from typing import Any

import dagster as dg
from dagster import DagsterEvent
from dagster._core.execution.plan.objects import StepRetryData

from ml_assets.core.kubernetes.pod_failures import PREEMPTIONS, SECONDS_AFTER_PREEMPTION


def replace_lost_pods(executor: dg.Executor, preempted: Set[str]) -> None:
    """Have an executor try a step again whose pod was lost to a preemption. Dagster would fail it: its own retries
    after a crash make no difference between a node that is gone and a step that needs more memory than it has.

    Args:
        executor: of steps that have pods.
        preempted: the steps whose pod was lost last time through no fault of theirs, as of now.
    """
    fail = executor.log_failure_or_retry_event_after_error

    def fail_or_retry(step_context: Any, err_info: Any, known_state: Any) -> DagsterEvent:
        step = step_context.step.key
        attempts = known_state.get_retry_state().get_attempt_count(step)
        if step not in preempted or step_context.retry_mode.disabled or attempts >= PREEMPTIONS:
            return fail(step_context, err_info, known_state)
        return DagsterEvent.step_retry_event(
            step_context, StepRetryData(error=err_info, seconds_to_wait=SECONDS_AFTER_PREEMPTION)
        )

    executor.log_failure_or_retry_event_after_error = fail_or_retry
