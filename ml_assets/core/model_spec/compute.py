"""What the steps of a model need: processors, memory, GPUs, where they may run and how long."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import Window

Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]*(Mi|Gi)$")]
LabelKey = Annotated[str, Field(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")]
ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]


class MemoryRule(SpecPart):
    """Memory by what a step reads: `base` and `per_input_byte` bytes for each byte of the files that the largest day of
    the run is made from.
    """

    base: Memory
    """What the step takes whatever it reads."""
    per_input_byte: float = Field(gt=0)
    """Bytes of memory for each byte that is read: of landed files, or of compressed Parquet in the lake."""
    maximum: Memory
    """Never more than this, which should fit on a node; a step that would need more gets this much."""


class Toleration(SpecPart):
    """A taint of nodes that the pods put up with, as Kubernetes writes it."""

    key: LabelKey
    """Key of the taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Whether the value must be equal, or the key need only be there."""
    value: LabelValue | None = None
    """Value of the taint; none with `Exists`."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; null means all."""

    @model_validator(mode="after")
    def _value_fits_operator(self) -> "Toleration":
        if (self.value is None) != (self.operator == "Exists"):
            raise ValueError(f"toleration of {self.key}: operator Equal needs a value, and operator Exists has none")
        return self


class DataCompute(SpecPart):
    """What a step of each stage but the training stages needs."""

    cpu: float = Field(1, ge=0.01)
    """CPU cores that a pod may use; half of them are kept for it."""
    memory: Memory | MemoryRule = "2Gi"
    """Memory in Kubernetes notation, or a rule by which it grows with what the step reads."""
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels that a node must have."""
    tolerations: list[Toleration] = []
    """Taints of nodes that the pods put up with."""
    avoid_gpu_nodes: Literal["prefer", "require"] = "prefer"
    """How firmly the pods without GPUs (these, those of runs, and training with `gpu: 0`) stay off nodes with GPUs, as
    their labels tell: `prefer` also works where there are no other nodes; with `require` such a pod rather waits. A
    taint on the GPU nodes keeps them off in both cases."""
    max_runtime: Window = timedelta(hours=6)
    """A step that runs longer is stopped and fails: its pod at once, and where it is no pod, before it goes on to its
    next days.
    """
    priority_class: ObjectName | None = "ml-assets-data"
    """PriorityClass of the pods; it has to be in the cluster. null: that of the run's pod."""
    share_pod: bool = False
    """Whether these steps run one after another in the pod of their run, where the run is one of the model's jobs, in
    place of a pod for each.
    """

    @model_validator(mode="after")
    def _is_known_before_the_run(self) -> "DataCompute":
        if self.share_pod and isinstance(self.memory, MemoryRule):
            raise ValueError(
                "share_pod: the pod of the run is started before it is known what its steps read, so memory must be an amount and not a rule"
            )
        return self


class Compute(SpecPart):
    """What the steps need. The fields here are for the training stages, `data` for all others. Where steps are no pods
    (on a laptop), only `cpu`, `gpu` and the limits of run time count."""

    cpu: int = Field(2, ge=1)
    """CPU cores that a pod may use, of which half are kept for it; and the number of threads of XGBoost, part of what
    makes training repeatable.
    """
    memory: Memory | MemoryRule = "4Gi"
    """Memory in Kubernetes notation, or a rule by which it grows with what the step reads."""
    gpu: int = Field(0, ge=0)
    """GPUs; with one or more, XGBoost trains on CUDA where there is a device, and on the CPU, with a warning, where
    there is none.
    """
    gpu_type: LabelValue | None = None
    """Kind of GPU, as the label nvidia.com/gpu.product of the nodes says it, such as NVIDIA-A100-SXM4-40GB; for other
    labels use `node_selector`.
    """
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels that a node must have."""
    tolerations: list[Toleration] = []
    """Taints of nodes that the pods put up with, beside nvidia.com/gpu, which pods with a GPU always do."""
    max_runtime: Window = timedelta(hours=6)
    """A step that runs longer is stopped and fails: its pod at once, and where it is no pod, before it goes on to its
    next days.
    """
    run_max_runtime: Window = timedelta(hours=6)
    """A run of the model's jobs that takes longer, with all of its steps and what they wait for before they are tried
    again, is stopped and fails. What it has committed stays. Runs of no job, such as backfills, have the limit of the
    instance (`run_monitoring.max_runtime_seconds`)."""
    image: str | None = Field(None, min_length=1)
    """Image of the training pods, such as one for GPUs, with the same version of the code; null: that of the code
    location.
    """
    priority_class: ObjectName | None = "ml-assets-training"
    """PriorityClass of the training pods; it has to be in the cluster. null: that of the run's pod."""
    service_account: ObjectName | None = None
    """Service account of all step pods of the model, by which they may reach their buckets; null: that of the run's
    pod.
    """
    start_timeout: Window = timedelta(minutes=30)
    """A pod of a step that has not started by then (no node has room, the image cannot be pulled) is removed, and the
    step fails with the reason.
    """
    data: DataCompute = DataCompute()

    @model_validator(mode="after")
    def _type_needs_gpu(self) -> "Compute":
        if self.gpu_type is not None and not self.gpu:
            raise ValueError("gpu_type: needs gpu to be 1 or more")
        return self
