"""The Kubernetes jobs of steps, as the step handler of dagster-k8s creates them.

Reason: to report why the pod of a step failed or does not start, one needs the job, the namespace and the client of the
handler, which it keeps to itself.
Public API that would replace it: `dagster_k8s.executor.K8sStepHandler` with public accessors, as an argument of
`k8s_job_executor`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ml_assets.resources.dagster_internals.step_execution import StepDelegatingExecutor, StepHandlerContext

if TYPE_CHECKING:
    from dagster_k8s.client import DagsterKubernetesClient
    from dagster_k8s.executor import K8sStepHandler


def step_handler_of(executor: StepDelegatingExecutor) -> "K8sStepHandler":
    """Return the step handler of an executor that `k8s_job_executor` created."""
    return cast("K8sStepHandler", executor._step_handler)


def job_name(handler: "K8sStepHandler", context: StepHandlerContext) -> str:
    """Return the name of the Kubernetes job of a step and attempt."""
    return handler._get_k8s_step_job_name(context)


def namespace(handler: "K8sStepHandler", context: StepHandlerContext) -> str:
    """Return the namespace in which the job of a step runs."""
    return cast("str", handler._get_container_context(context).namespace)


def api_client(handler: "K8sStepHandler") -> "DagsterKubernetesClient":
    """Return the client through which a handler submits and watches jobs."""
    return handler._api_client


def pod_settings(step_tags: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the settings of the pod of a step that its tags contain, such as `active_deadline_seconds`."""
    from dagster_k8s.job import get_user_defined_k8s_config

    return get_user_defined_k8s_config(step_tags).pod_spec_config


def memory_limit(tags: Mapping[str, str]) -> str | None:
    """Return the memory limit of the container that the tags of a run or step contain; None without a limit."""
    from dagster_k8s.job import get_user_defined_k8s_config

    resources = get_user_defined_k8s_config(tags).container_config.get("resources") or {}
    return (resources.get("limits") or {}).get("memory")
