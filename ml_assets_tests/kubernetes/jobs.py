"""The Kubernetes jobs that a run of a model would submit, built by dagster-k8s with an API client that only records
calls.

python -m ml_assets_tests.kubernetes.jobs   writes them as the approved snapshots
"""

import copy
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import dagster as dg
import kubernetes.client
import yaml
from dagster._config import process_config
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.context_creation_job import PlanData, create_context_free_log_manager
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.init import InitExecutorContext
from dagster._core.executor.step_delegating import StepHandlerContext
from dagster._core.launcher import LaunchRunContext
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.test_utils import create_run_for_test, instance_for_test
from dagster._grpc.types import ExecuteStepArgs
from dagster_k8s.client import DagsterKubernetesClient

from ml_assets.cli.demo.simulated_days import read_simulated_spec
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.component import ModelPipeline
from ml_assets.resources.kubernetes.step_executor import step_executor
from ml_assets.resources.kubernetes.step_pods import InputBytes, PodStepHandler

SNAPSHOTS = Path(__file__).parent / "snapshots"
IMAGE = "ml-assets:test"
NAMESPACE = "ml-assets"
DAY = "2026-11-12"
GPU = {
    "cpu": 8,
    "memory": {"base": "2Gi", "per_input_byte": 12, "maximum": "64Gi"},
    "gpu": 1,
    "gpu_type": "NVIDIA-A100-SXM4-40GB",
    "node_selector": {"topology.kubernetes.io/zone": "eu-west-1a"},
    "tolerations": [{"key": "dedicated", "value": "training", "effect": "NoSchedule"}],
    "max_runtime": "90m",
    "image": "ml-assets:gpu",
    "service_account": "fraud-detection",
    "data": {"cpu": 0.5, "memory": "1Gi", "node_selector": {"pool": "small"}},
}
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "none",
    "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "none", "user": {}}],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
}


def variants() -> dict[str, ModelSpec]:
    """Build the models whose jobs are approved: fraud_detection unchanged, with GPUs, and with a pod for each step."""
    spec = read_simulated_spec()
    attributes = spec.model_dump(mode="json", by_alias=True)
    return {
        "as_it_is": spec,
        "gpu": ModelSpec.model_validate({**attributes, "compute": GPU}),
        "own_pods": ModelSpec.model_validate({**attributes, "compute": {"data": {"share_pod": False}}}),
    }


def definitions_of(spec: ModelSpec) -> dg.Definitions:
    """Build the definitions of a model with resources that are never used."""
    no_resources = {
        name: dg.ResourceDefinition.none_resource()
        for name in ("lake", "landing", "registry", "tracking", "deploy_target")
    }
    component_definitions = ModelPipeline(spec).build_defs(dg.ComponentTree.for_test().load_context)
    return dg.Definitions.merge(component_definitions, dg.Definitions(resources=no_resources))


@contextmanager
def instance_on_kubernetes() -> Iterator[dg.DagsterInstance]:
    """Open an instance with the Kubernetes run launcher for a cluster that does not exist."""
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(KUBECONFIG))
        launcher = {
            "job_image": IMAGE,
            "job_namespace": NAMESPACE,
            "service_account_name": "ml-assets",
            "instance_config_map": "dagster-instance",
            "dagster_home": "/opt/dagster/dagster_home",
            "load_incluster_config": False,
            "kubeconfig_file": str(kubeconfig),
        }
        overrides = {"run_launcher": {"module": "dagster_k8s", "class": "K8sRunLauncher", "config": launcher}}
        with instance_for_test(overrides=overrides) as instance:
            yield instance


def step_handler(
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    input_bytes: InputBytes = lambda context: 0,
    config: Mapping[str, Any] | None = None,
) -> PodStepHandler:
    """Build the step handler of the executor of production with an API client that only records calls."""
    return executor_and_handler(instance, job, input_bytes, config)[1]


def executor_and_handler(
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    input_bytes: InputBytes = lambda context: 0,
    config: Mapping[str, Any] | None = None,
) -> tuple[dg.Executor, PodStepHandler]:
    """Build the executor of production and its step handler, as in `step_handler`."""
    executor_def = step_executor(input_bytes)
    processed = process_config(executor_def.config_schema.config_type, config or {})
    assert processed.success, processed.errors
    executor = executor_def.executor_creation_fn(
        InitExecutorContext(
            job=InMemoryJob(job), executor_def=executor_def, executor_config=processed.value, instance=instance
        )
    )
    handler = executor._step_handler
    handler._jobs._api_client = recording_client()
    handler._jobs._detect_current_name_and_uid = lambda: ("dagster-run-pod", "11111111-1111-4111-8111-111111111111")
    return executor, handler


def recording_client() -> DagsterKubernetesClient:
    """Build a client of dagster-k8s that records calls and accepts all of them."""
    return DagsterKubernetesClient(MagicMock(), MagicMock(), print, lambda seconds: None, lambda: 0.0)


def submitted(client: DagsterKubernetesClient) -> list[Any]:
    """List the submitted jobs in order."""
    return [call.kwargs["body"] for call in client.batch_api.create_namespaced_job.call_args_list]


def make_run(
    instance: dg.DagsterInstance, job: dg.JobDefinition, tags: Mapping[str, str] | None = None
) -> dg.DagsterRun:
    """Create a run of a job, as it would be in the queue."""
    origin = JobPythonOrigin(
        job.name,
        RepositoryPythonOrigin("python", ModuleCodePointer("ml_assets.definitions", "defs"), IMAGE, ["dagster"]),
    )
    return create_run_for_test(
        instance, job.name, tags={**job.run_tags, **(tags or {"dagster/partition": DAY})}, job_code_origin=origin
    )


def step_contexts(
    instance: dg.DagsterInstance, job: dg.JobDefinition, run: dg.DagsterRun
) -> dict[str, StepHandlerContext]:
    """Build the context that a step handler receives for each step of a run, in order, by step key."""
    plan = create_execution_plan(job)
    data = PlanData(InMemoryJob(job), run, instance, plan, raise_on_error=True, retry_mode=RetryMode.DISABLED)
    context = PlanOrchestrationContext(
        data, create_context_free_log_manager(instance, run), executor=dg.in_process_executor, output_capture=None
    )
    return {
        step.key: StepHandlerContext(
            instance,
            context,
            [step],
            ExecuteStepArgs(
                run.job_code_origin,
                run.run_id,
                [step.key],
                instance.get_ref(),
                RetryMode.DISABLED,
                None,
                should_verify_step=True,
            ),
            run,
        )
        for step in plan.get_all_steps_in_topo_order()
    }


def jobs_of(
    instance: dg.DagsterInstance, spec: ModelSpec, input_bytes: InputBytes = lambda context: 0
) -> dict[str, dict[str, Any]]:
    """Build the manifests of the jobs of one day of a model, as they would be sent to the API.

    Returns:
        Manifest by name: `run`, and each stage that has its own pod.
    """
    job = definitions_of(spec).resolve_job_def(f"{spec.name}_daily")
    run = make_run(instance, job)
    launcher = instance.run_launcher
    launcher._api_client = recording_client()
    launcher.launch_run(LaunchRunContext(run, None))
    handler = step_handler(instance, job, input_bytes)
    for context in step_contexts(instance, job, run).values():
        if not handler.shares_pod(context):
            list(handler.launch_step(context))
    jobs = [*submitted(launcher._api_client), *submitted(handler._jobs._api_client)]
    sanitize = kubernetes.client.ApiClient().sanitize_for_serialization
    return {
        job_manifest.spec.template.metadata.labels["ml-assets/stage"]: sanitize(job_manifest) for job_manifest in jobs
    }


def approved_form(manifest: Mapping[str, Any]) -> str:
    """Write a manifest as YAML without values that differ between runs or versions of Dagster."""
    manifest = copy.deepcopy(dict(manifest))
    template, (container,) = manifest["spec"]["template"], manifest["spec"]["template"]["spec"]["containers"]
    for metadata in (manifest["metadata"], template["metadata"]):
        metadata["name"] = "NAME"
        metadata["labels"] |= {"app.kubernetes.io/version": "VERSION", "dagster/run-id": "RUN"}
    container["args"] = [argument if len(argument) < 100 else "SERIALIZED" for argument in container["args"]]
    for variable in container["env"]:
        if variable["name"] == "DAGSTER_COMPRESSED_EXECUTE_STEP_ARGS":
            variable["value"] = "SERIALIZED"
    return yaml.safe_dump(manifest, sort_keys=True)


def approve() -> None:
    """Replace the approved snapshots by the present manifests."""
    for old in SNAPSHOTS.rglob("*.yaml"):
        old.unlink()
    with instance_on_kubernetes() as instance:
        for variant, spec in variants().items():
            for name, manifest in jobs_of(instance, spec).items():
                path = SNAPSHOTS / variant / f"{name}.yaml"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(approved_form(manifest))


if __name__ == "__main__":
    approve()
