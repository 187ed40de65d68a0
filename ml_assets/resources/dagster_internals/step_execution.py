"""Step handlers, and the executor that delegates steps to one.

Reason: the executor of dagster-k8s starts every step in a pod of its own, with the same memory whatever its input, and
fails a step whose pod was preempted as if the step itself had failed. A custom step handler and executor change that.
Public API that would replace it: exports of these names from `dagster`, and a step handler as an argument of
`dagster_k8s.k8s_job_executor`.
"""

from dagster._core.events import EngineEventData
from dagster._core.execution.plan.objects import StepRetryData
from dagster._core.executor.step_delegating import (
    CheckStepHealthResult,
    StepDelegatingExecutor,
    StepHandler,
    StepHandlerContext,
)

__all__ = [
    "CheckStepHealthResult",
    "EngineEventData",
    "StepDelegatingExecutor",
    "StepHandler",
    "StepHandlerContext",
    "StepRetryData",
]
