"""The pod of a step as Kubernetes configuration: resources, placement, labels for cost, and what the restricted
pod-security standard asks for.
"""

from collections.abc import Mapping
from typing import Any

from ml_assets.core.kubernetes.memory_sizing import UNITS, bytes_of
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.compute import Compute, DataCompute, MemoryRule, Toleration

GPU = "nvidia.com/gpu"
GPU_TYPE = "nvidia.com/gpu.product"
# Labels of nodes with GPUs: of NVIDIA's feature discovery, of Karpenter, of the node groups of GKE, AKS and EKS, and
# the one that people use.
GPU_NODE_LABELS = (
    "nvidia.com/gpu.present",
    "karpenter.k8s.aws/instance-gpu-count",
    "cloud.google.com/gke-accelerator",
    "kubernetes.azure.com/accelerator",
    "k8s.amazonaws.com/accelerator",
    "accelerator",
)
# What a node selector may say about nodes of every kind, so that it tells none with GPUs.
OF_EVERY_NODE = ("topology.kubernetes.io/", "kubernetes.io/", "karpenter.sh/")
MODEL_LABEL, STAGE_LABEL = "ml-assets/model", "ml-assets/stage"
# Tags of steps, which the executor reads: how long a pod may take to start, in seconds; the memory rule as JSON; that
# the step may run in the pod of its run, where the run has the tag as well.
START_TIMEOUT, MEMORY_RULE, SHARES_POD = "ml_assets/start_timeout", "ml_assets/memory_rule", "ml_assets/shares_pod"
# Long enough to look at a pod that failed at night; short enough that a few thousand steps a day do not pile up.
SECONDS_KEPT = 6 * 60 * 60
# What the process of a run takes that waits for its steps; see docs/kubernetes.md for what was measured.
RUN_CPU, RUN_MEMORY_MI = 0.5, 1024

# An interrupted step is made again from its start, so neither Karpenter nor the cluster autoscaler shall move it to
# save a node.
ANNOTATIONS = {"karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}

Config = dict[str, Any]


def training_pod(spec: ModelSpec, stage: str) -> Config:
    """The `dagster-k8s/config` of a training stage: the only one that asks for GPUs. Without any it stays off nodes
    that have them, as all others.
    """
    compute = spec.compute
    tolerated = [Toleration(key=GPU, operator="Exists", effect="NoSchedule")] if compute.gpu else []
    config = _pod(
        spec,
        stage,
        compute,
        resources(compute.cpu, compute.memory, compute.gpu),
        node_selector(compute),
        [*tolerated, *compute.tolerations],
    )
    if not compute.gpu:
        config["pod_spec_config"]["affinity"] = off_gpu_nodes(compute)
    if spec.training.engine == "dask" and spec.training.dask.kubernetes:
        # It asks Kubernetes for its cluster.
        config["pod_spec_config"]["automount_service_account_token"] = True
    if compute.image:
        config["container_config"]["image"] = compute.image
    return config


def data_pod(spec: ModelSpec, stage: str) -> Config:
    """The `dagster-k8s/config` of any other stage, whose pods stay off nodes with GPUs."""
    data = spec.compute.data
    config = _pod(spec, stage, data, resources(data.cpu, data.memory), data.node_selector, data.tolerations)
    config["pod_spec_config"]["affinity"] = off_gpu_nodes(spec.compute)
    return config


def run_pod(spec: ModelSpec) -> Config:
    """The `dagster-k8s/config` of the pod of a run, which waits for its steps, or has those that share it in it, one at
    a time.
    """
    data = spec.compute.data
    cpu, memory = RUN_CPU, f"{RUN_MEMORY_MI}Mi"
    if data.share_pod and isinstance(data.memory, str):
        cpu, memory = RUN_CPU + data.cpu, f"{RUN_MEMORY_MI + bytes_of(data.memory) // UNITS['Mi']}Mi"
    return {
        "container_config": {"resources": resources(cpu, memory), **restricted_container()},
        "pod_spec_config": {**restricted_pod(), "affinity": off_gpu_nodes(spec.compute)},
        "pod_template_spec_metadata": {"labels": cost_labels(spec.name, "run"), "annotations": dict(ANNOTATIONS)},
        "job_metadata": {"labels": cost_labels(spec.name, "run")},
        "job_spec_config": {"backoff_limit": 0, "ttl_seconds_after_finished": SECONDS_KEPT},
    }


def plain_pod() -> Config:
    """The `dagster-k8s/config` of steps that belong to no stage, such as the removal of old days: what holds for every
    pod, as a small one.
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
    """Limits, and requests: all of the memory and GPUs, which cannot be taken back, and half of the CPU, which is only
    slower when others want it.

    Memory by a rule begins with its base; the executor sets what the rule gives when the step is launched.
    """
    firm = {"memory": memory.base if isinstance(memory, MemoryRule) else memory, **({GPU: str(gpu)} if gpu else {})}
    return {"requests": {"cpu": f"{cpu / 2:g}", **firm}, "limits": {"cpu": f"{cpu:g}", **firm}}


def cost_labels(model: str, stage: str) -> dict[str, str]:
    """The labels by which cost is told by model and stage. A label ends with a letter or digit, which a name need
    not.
    """
    return {MODEL_LABEL: model.rstrip("_"), STAGE_LABEL: stage}


def restricted_container() -> Config:
    """What the restricted pod-security standard asks of a container, and a root file system that cannot be written;
    /tmp can.
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
        # Libraries that keep settings in the home directory shall find one that can be written.
        "env": [{"name": "HOME", "value": "/tmp"}],
    }


def restricted_pod() -> Config:
    """What the restricted pod-security standard asks of a pod, with the volume of /tmp."""
    return {
        "security_context": {"run_as_non_root": True, "seccomp_profile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "tmp", "empty_dir": {}}],
    }


def off_gpu_nodes(compute: Compute) -> Config:
    """The affinity of pods without GPUs: to nodes with none of the labels of GPU nodes, and not with the labels by
    which training selects its own.

    By default a preference, because a cluster may have no other nodes; a taint on GPU nodes keeps others off for
    certain.
    """
    none = [{"key": label, "operator": "DoesNotExist"} for label in GPU_NODE_LABELS]
    selected = gpu_selector(compute)
    # Terms are alternatives: a node is another one when it lacks any of the labels that are selected together.
    terms = [
        {"match_expressions": [*none, {"key": key, "operator": "NotIn", "values": [value]}]}
        for key, value in selected.items()
        if key not in GPU_NODE_LABELS
    ]
    terms = terms or [{"match_expressions": none}]
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
    """The labels by which training with GPUs selects its nodes, without those that any node may have; none where it
    trains without GPUs.
    """
    if not compute.gpu:
        return {}
    return {key: value for key, value in node_selector(compute).items() if not key.startswith(OF_EVERY_NODE)}


def node_selector(compute: Compute) -> dict[str, str]:
    """The labels that a node must have for a training pod."""
    return {**({GPU_TYPE: compute.gpu_type} if compute.gpu_type else {}), **compute.node_selector}


def _pod(
    spec: ModelSpec,
    stage: str,
    compute: Compute | DataCompute,
    wanted: Config,
    selector: Mapping[str, str],
    tolerated: list[Toleration],
) -> Config:
    labels = cost_labels(spec.name, stage)
    return {
        "container_config": {"resources": wanted, **restricted_container()},
        "pod_spec_config": {
            **restricted_pod(),
            # Steps do not talk to Kubernetes, but for training on a Dask cluster of its own.
            "automount_service_account_token": False,
            **({"service_account_name": spec.compute.service_account} if spec.compute.service_account else {}),
            **({"priority_class_name": compute.priority_class} if compute.priority_class else {}),
            **({"node_selector": dict(selector)} if selector else {}),
            **({"tolerations": [one.model_dump(exclude_none=True) for one in tolerated]} if tolerated else {}),
            # Of the pod and not of the job: it counts from when a node has the pod, so that waiting for a GPU is not
            # running.
            "active_deadline_seconds": _seconds(compute),
        },
        "pod_template_spec_metadata": {"labels": labels, "annotations": dict(ANNOTATIONS)},
        "job_metadata": {"labels": labels},
        "job_spec_config": {"backoff_limit": 0, "ttl_seconds_after_finished": SECONDS_KEPT},
    }


def _seconds(compute: Compute | DataCompute) -> int:
    return int(compute.max_runtime.total_seconds())
