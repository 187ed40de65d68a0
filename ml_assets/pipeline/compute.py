"""Where a step runs: the op tags by which a step of the Kubernetes executor gets its resources."""

from ml_assets.core.spec.operation import Compute


def training_tags(compute: Compute) -> dict[str, object]:
    """Op tags of the training step: CPU, memory and, when the spec asks for them, GPUs of its pod.

    They stand on the asset because pods of steps do not see the tags of a job.
    """
    quantities = {"cpu": str(compute.cpu), "memory": compute.memory}
    if compute.gpu:
        quantities["nvidia.com/gpu"] = str(compute.gpu)
    return {"dagster-k8s/config": {"container_config": {"resources": {"requests": quantities, "limits": quantities}}}}
