"""An executor that retries steps whose pod was preempted."""

from collections.abc import Set
from typing import Any

from dagster import DagsterEvent

from ml_assets.core.kubernetes.pod_failures import PREEMPTIONS, SECONDS_AFTER_PREEMPTION
from ml_assets.resources.dagster_internals.step_execution import StepDelegatingExecutor, StepHandler, StepRetryData


class PreemptionRetryExecutor(StepDelegatingExecutor):
    """Dagster's executor that delegates steps to a step handler, with further attempts after a preemption.

    Dagster fails a step whose pod is gone: its own retries do not distinguish the loss of a node from a step that ran
    out of memory.

    Args:
        step_handler: starts and watches the steps.
        preempted_steps: the steps whose last attempt lost its pod to a preemption; the step handler keeps it current.
        executor_settings: the settings of Dagster's executor.
    """

    def __init__(self, step_handler: StepHandler, preempted_steps: Set[str], **executor_settings: Any):
        super().__init__(step_handler, **executor_settings)
        self._preempted_steps = preempted_steps

    def log_failure_or_retry_event_after_error(
        self, step_context: Any, err_info: Any, known_state: Any
    ) -> DagsterEvent:
        """Schedule another attempt of a preempted step while it has attempts left; otherwise follow Dagster's
        default.
        """
        step = step_context.step.key
        attempts = known_state.get_retry_state().get_attempt_count(step)
        if step not in self._preempted_steps or step_context.retry_mode.disabled or attempts >= PREEMPTIONS:
            return super().log_failure_or_retry_event_after_error(step_context, err_info, known_state)
        retry = StepRetryData(error=err_info, seconds_to_wait=SECONDS_AFTER_PREEMPTION)
        return DagsterEvent.step_retry_event(step_context, retry)
