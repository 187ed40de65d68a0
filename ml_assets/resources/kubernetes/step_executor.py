"""The executor of production: dagster-k8s's executor with memory sized by the input of a step, steps that share the pod
of their run, and reasons for pod failures.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import dagster as dg

from ml_assets.core.extras import needs_extra
from ml_assets.core.kubernetes.pod_spec import SHARES_POD, plain_pod
from ml_assets.resources.dagster_internals.kubernetes_jobs import step_handler_of
from ml_assets.resources.dagster_internals.step_execution import StepDelegatingExecutor
from ml_assets.resources.kubernetes.preemption_retry import PreemptionRetryExecutor
from ml_assets.resources.kubernetes.shared_pod import SharedPodStepHandler
from ml_assets.resources.kubernetes.step_pods import InputBytes, PodStepHandler


def step_executor(input_bytes: InputBytes) -> dg.ExecutorDefinition:
    """Return `k8s_job_executor` with the same name and settings, some of which are fixed.

    Step jobs are owned by the pod of their run, steps that share a pod run one after another, and steps without tags of
    their own get a small pod that meets the restricted Pod Security Standard.

    Args:
        input_bytes: returns the bytes from which the largest day of a step is made.
    """
    with needs_extra("k8s", "ML_ASSETS_ENV=production, where each step is a Kubernetes job,"):
        from dagster_k8s import k8s_job_executor

    create = cast("Callable[[dg.InitExecutorContext], StepDelegatingExecutor]", k8s_job_executor.executor_creation_fn)

    @dg.executor(
        name=k8s_job_executor.name,
        config_schema=k8s_job_executor.config_schema.as_field(),
        requirements=dg.multiple_process_executor_requirements(),
    )
    def step_pods(init_context: dg.InitExecutorContext) -> dg.Executor:
        config = cast("Mapping[str, Any]", init_context.executor_config)
        limits = [*(config.get("tag_concurrency_limits") or ()), {"key": SHARES_POD, "limit": 1}]
        fixed = {
            "enable_owner_references": True,
            "tag_concurrency_limits": limits,
            "step_k8s_config": {**plain_pod(), **config.get("step_k8s_config", {})},
        }
        executor = create(init_context._replace(executor_config={**config, **fixed}))
        step_handler = PodStepHandler(
            step_handler_of(executor),
            SharedPodStepHandler(),
            input_bytes,
            config.get("per_step_k8s_config") or {},
            bool(config.get("step_k8s_config")),
        )
        return PreemptionRetryExecutor(
            step_handler,
            step_handler.preempted,
            retries=executor.retries,
            max_concurrent=config.get("max_concurrent"),
            tag_concurrency_limits=limits,
            should_verify_step=True,
            step_dependency_config=executor.step_dependency_config,
        )

    return step_pods
