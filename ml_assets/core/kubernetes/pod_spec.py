"""The pod of a step as Kubernetes configuration: resources, placement, cost labels, and settings for the restricted pod
security standard.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ml_assets.core.kubernetes.memory_sizing import UNITS, to_bytes
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.compute import Compute, DataCompute, MemoryRule, Toleration

GPU = "nvidia.com/gpu"
GPU_TYPE = "nvidia.com/gpu.product"
# Labels of nodes with GPUs: from NVIDIA's feature discovery, Karpenter, the node groups of GKE, AKS and EKS, and common
# usage.
GPU_NODE_LABELS = (
    "nvidia.com/gpu.present",
    "karpenter.k8s.aws/instance-gpu-count",
    "cloud.google.com/gke-accelerator",
    "kubernetes.azure.com/accelerator",
    "k8s.amazonaws.com/accelerator",
    "accelerator",
)
# Prefixes of labels that any node may have, which therefore do not select nodes with GPUs.
GENERAL_LABELS = ("topology.kubernetes.io/", "kubernetes.io/", "karpenter.sh/")
MODEL_LABEL, STAGE_LABEL = "ml-assets/model", "ml-assets/stage"
# Step tags that the executor reads: the maximum time until a pod starts, in seconds; the memory rule as JSON;
# permission to run in the pod of the run, if the run has the tag as well; and the section of the specification that
# describes the pod.
START_TIMEOUT, MEMORY_RULE, SHARES_POD = "ml_assets/start_timeout", "ml_assets/memory_rule", "ml_assets/shares_pod"
COMPUTE_SECTION = "ml_assets/compute_section"
# Long enough to examine a pod that failed overnight, and short enough that a few thousand steps a day do not pile up.
SECONDS_KEPT = 6 * 60 * 60
# Resources of the process of a run that waits for its steps; docs/explanation/pods.md has the measurements.
RUN_CPU, RUN_MEMORY_MI = 0.5, 1024
# Share of the CPU limit of a pod.
REQUESTED_SHARE = 0.5

# An interrupted step starts again from the beginning, so neither Karpenter nor the cluster autoscaler should evict it
# to save a node.
ANNOTATIONS = {"karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}

Config = dict[str, Any]


def training_pod(spec: ModelSpec, stage: str) -> Config:
    """Return the `dagster-k8s/config` of a training stage, the only kind of stage that requests GPUs. Without GPUs, its
    pods avoid nodes with GPUs, like all others.
    """
    compute = spec.compute
    config = _pod(
        spec,
        stage,
        compute,
        resources(compute.cpu, compute.memory, compute.gpu),
        node_selector(compute),
        tolerations(compute),
    )
    if not compute.gpu:
        config["pod_spec_config"]["affinity"] = avoid_gpu_nodes(compute)
    if spec.training.engine == "dask" and spec.training.dask.kubernetes:
        # The step requests its Dask cluster from Kubernetes.
        config["pod_spec_config"]["automount_service_account_token"] = True
    if compute.image:
        config["container_config"]["image"] = compute.image
    return config


def data_pod(spec: ModelSpec, stage: str) -> Config:
    """Return the `dagster-k8s/config` of any other stage, whose pods avoid nodes with GPUs."""
    data = spec.compute.data
    config = _pod(spec, stage, data, resources(data.cpu, data.memory), data.node_selector, data.tolerations)
    config["pod_spec_config"]["affinity"] = avoid_gpu_nodes(spec.compute)
    return config


def run_pod(spec: ModelSpec) -> Config:
    """Return the `dagster-k8s/config` of the pod of a run, which waits for its steps, or runs the steps that share it
    one at a time, with their resources and on their nodes.
    """
    data = spec.compute.data
    cpu, memory, placement = RUN_CPU, f"{RUN_MEMORY_MI}Mi", {}
    if spec.compute.shares_pod and isinstance(data.memory, str):
        cpu, memory = RUN_CPU + data.cpu, shared_memory(data.memory)
        placement = _placement(data, data.node_selector, data.tolerations)
    return {
        "container_config": {"resources": resources(cpu, memory), **restricted_container()},
        "pod_spec_config": {**restricted_pod(), **placement, "affinity": avoid_gpu_nodes(spec.compute)},
        "pod_template_spec_metadata": {"labels": cost_labels(spec.name, "run"), "annotations": dict(ANNOTATIONS)},
        "job_metadata": {"labels": cost_labels(spec.name, "run")},
        "job_spec_config": {"backoff_limit": 0, "ttl_seconds_after_finished": SECONDS_KEPT},
    }


def shared_memory(step_memory: str) -> str:
    """Return the memory of the pod of a run whose steps share it, from the memory of a step."""
    return f"{RUN_MEMORY_MI + to_bytes(step_memory) // UNITS['Mi']}Mi"


def plain_pod() -> Config:
    """Return the `dagster-k8s/config` of steps that belong to no stage, such as retention: a small pod with the
    settings of every pod.
    """
    default = DataCompute()
    return {
        "container_config": {"resources": resources(default.cpu, default.memory), **restricted_container()},
        "pod_spec_config": {
            **restricted_pod(),
            "automount_service_account_token": False,
            "active_deadline_seconds": _seconds(default),
        },
        "pod_template_spec_metadata": {"annotations": dict(ANNOTATIONS)},
        "job_spec_config": {"backoff_limit": 0, "ttl_seconds_after_finished": SECONDS_KEPT},
    }


def resources(cpu: float, memory: str | MemoryRule, gpu: int = 0) -> Config:
    """Return limits and requests. Requests are the full memory and GPUs, which cannot be reclaimed, and half of the
    CPU, because a step with less CPU is only slower.

    For a memory rule, this is its base; the executor sets the amount when it launches the step.
    """
    guaranteed = {
        "memory": memory.base if isinstance(memory, MemoryRule) else memory,
        **({GPU: str(gpu)} if gpu else {}),
    }
    return {
        "requests": {"cpu": f"{cpu * REQUESTED_SHARE:g}", **guaranteed},
        "limits": {"cpu": f"{cpu:g}", **guaranteed},
    }


def cost_labels(model: str, stage: str) -> dict[str, str]:
    """Return the labels for the cost by model and stage. A label must end with a letter or digit, but a model's name
    need not.
    """
    return {MODEL_LABEL: model.rstrip("_"), STAGE_LABEL: stage}


def restricted_container() -> Config:
    """Return the settings of a container for the restricted pod security standard, with a read-only root file system
    and a writable /tmp.
    """
    return {
        "security_context": {
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"]},
            "read_only_root_filesystem": True,
            "run_as_non_root": True,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],
        # Libraries that keep settings in the home directory need a writable one.
        "env": [{"name": "HOME", "value": "/tmp"}],
    }


def restricted_pod() -> Config:
    """Return the settings of a pod for the restricted pod security standard, with the volume of /tmp."""
    return {
        "security_context": {"run_as_non_root": True, "seccomp_profile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "tmp", "empty_dir": {}}],
    }


def avoid_gpu_nodes(compute: Compute) -> Config:
    """Return the node affinity of pods without GPUs, to nodes that have neither the labels of GPU nodes nor the labels
    by which training selects its nodes.

    It is a preference by default, because a cluster may have no other nodes; only a taint on GPU nodes keeps all other
    pods off them.
    """
    without_labels = [{"key": label, "operator": "DoesNotExist"} for label in GPU_NODE_LABELS]
    selected = gpu_selector(compute)
    # Terms are alternatives: a node that lacks any of the selector's labels does not match the selector.
    terms = [
        {"match_expressions": [*without_labels, {"key": key, "operator": "NotIn", "values": [value]}]}
        for key, value in selected.items()
        if key not in GPU_NODE_LABELS
    ]
    terms = terms or [{"match_expressions": without_labels}]
    if compute.data.avoid_gpu_nodes == "require":
        return {
            "node_affinity": {"required_during_scheduling_ignored_during_execution": {"node_selector_terms": terms}}
        }
    return {
        "node_affinity": {
            "preferred_during_scheduling_ignored_during_execution": [
                {"weight": 100, "preference": term} for term in terms
            ]
        }
    }


def gpu_selector(compute: Compute) -> dict[str, str]:
    """Return the labels by which training with GPUs selects its nodes, except labels that any node may have; empty for
    training without GPUs.
    """
    if not compute.gpu:
        return {}
    return {key: value for key, value in node_selector(compute).items() if not key.startswith(GENERAL_LABELS)}


def node_selector(compute: Compute) -> dict[str, str]:
    """Return the labels of nodes that a training pod requires."""
    return {**({GPU_TYPE: compute.gpu_type} if compute.gpu_type else {}), **compute.node_selector}


def tolerations(compute: Compute) -> list[Toleration]:
    """Return the taints that a training pod tolerates."""
    gpu = [Toleration(key=GPU, operator="Exists", effect="NoSchedule")] if compute.gpu else []
    return [*gpu, *compute.tolerations]


def _pod(
    spec: ModelSpec,
    stage: str,
    compute: Compute | DataCompute,
    resource_config: Config,
    selector: Mapping[str, str],
    tolerated: list[Toleration],
) -> Config:
    labels = cost_labels(spec.name, stage)
    return {
        "container_config": {"resources": resource_config, **restricted_container()},
        "pod_spec_config": {
            **restricted_pod(),
            # Steps do not call the Kubernetes API, except training that creates a Dask cluster.
            "automount_service_account_token": False,
            **({"service_account_name": spec.compute.service_account} if spec.compute.service_account else {}),
            **_placement(compute, selector, tolerated),
            # The deadline is that of the pod, not of the job, so that it starts when the pod is on a node and excludes
            # waiting for a GPU.
            "active_deadline_seconds": _seconds(compute),
        },
        "pod_template_spec_metadata": {"labels": labels, "annotations": dict(ANNOTATIONS)},
        "job_metadata": {"labels": labels},
        "job_spec_config": {"backoff_limit": 0, "ttl_seconds_after_finished": SECONDS_KEPT},
    }


def _placement(compute: Compute | DataCompute, selector: Mapping[str, str], tolerated: Sequence[Toleration]) -> Config:
    return {
        **({"priority_class_name": compute.priority_class} if compute.priority_class else {}),
        **({"node_selector": dict(selector)} if selector else {}),
        **({"tolerations": [taint.model_dump(exclude_none=True) for taint in tolerated]} if tolerated else {}),
    }


def _seconds(compute: Compute | DataCompute) -> int:
    return int(compute.max_runtime.total_seconds())
