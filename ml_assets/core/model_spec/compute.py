"""Resources of the steps of a model: CPU, memory, GPUs, placement in the cluster and maximum run time."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.dask_cluster import DaskCluster
from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import Wait

Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]*(Mi|Gi)$")]
LabelKey = Annotated[str, Field(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")]
ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]


class MemoryRule(SpecPart):
    """Memory that grows with the input: `base`, plus `per_input_byte` bytes for each byte of the input files of the
    largest day of the run."""

    base: Memory
    """Memory of the step without any input."""
    per_input_byte: float = Field(gt=0, le=10_000)
    """Bytes of memory for each byte of input: of landed files, or of compressed Parquet files in the lake."""
    maximum: Memory
    """Maximum, which should fit on a node. A step that needs more gets this much."""


class Toleration(SpecPart):
    """A toleration of a node taint, as in Kubernetes."""

    key: LabelKey
    """Key of the taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Equal: the taint has this value. Exists: the taint has this key, with any value."""
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
    """Resources of the steps of all stages but the training stages."""

    cpu: float = Field(1, ge=0.01, le=1024)
    """CPU limit of a pod, in cores; half of it is requested."""
    memory: Memory | MemoryRule = "2Gi"
    """Memory in Kubernetes notation, or a rule by which it grows with the input of the step."""
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels that a node must have."""
    tolerations: list[Toleration] = []
    """Node taints that the pods tolerate."""
    avoid_gpu_nodes: Literal["prefer", "require"] = "prefer"
    """Node affinity that keeps pods without GPUs (data steps, runs, and training with `gpu: 0`) off nodes labelled as
    having GPUs. prefer: such a pod uses a GPU node when there is no other. require: it waits. A taint on the GPU nodes
    keeps these pods off in both cases."""
    max_runtime: Wait = timedelta(hours=6)
    """Maximum run time of a step, after which it fails: at once in a pod, otherwise before its next chunk of days."""
    priority_class: ObjectName | None = "ml-assets-data"
    """PriorityClass of the pods, which must exist in the cluster. null: that of the run's pod."""
    share_pod: bool | None = None
    """Whether these steps run one after another in the pod of their run, each in its own process, instead of in their
    own pods. It applies to runs of the model's jobs. null: yes, unless `memory` is a rule or the steps have a
    `service_account`."""

    @model_validator(mode="after")
    def _is_known_before_the_run(self) -> "DataCompute":
        if self.share_pod and isinstance(self.memory, MemoryRule):
            raise ValueError(
                "share_pod: the pod of the run is started before it is known what its steps read, so memory must be an "
                "amount and not a rule"
            )
        return self


class Parallel(SpecPart):
    """Processes that compute the days of raw data, validated data and features in a run of many days."""

    processes: int = Field(1, ge=1, le=256)
    """Number of processes on the machine or in the pod of the step, each of which takes `backfill.memory` and 512 MiB.
    Only the step itself commits days; the number does not change the tables."""


class Prices(SpecPart):
    """Prices from which `ml-assets plan` estimates the cost of a backfill. They are not part of any fingerprint, so
    changing them recomputes nothing."""

    cpu_hour: float = Field(gt=0, le=1e6, allow_inf_nan=False)
    """Price of one core for an hour."""
    gpu_hour: float | None = Field(None, gt=0, le=1e6, allow_inf_nan=False)
    """Price of one GPU for an hour, in addition to that of its cores."""
    currency: str = Field("USD", min_length=1, max_length=12)
    """Currency of the prices."""


class Compute(SpecPart):
    """Resources of the steps. The fields here are for the training stages, `data` is for all others. Without pods (on a
    laptop), only `cpu`, `gpu` and the maximum run times apply."""

    cpu: int = Field(2, ge=1, le=1024)
    """CPU limit of a pod, in cores, of which half is requested; also the maximum number of threads of XGBoost, which
    uses one for each 250,000 values of the training rows. In a run of many days, models that leave threads free are
    trained in parallel. The bytes of a model depend on its number of threads."""
    memory: Memory | MemoryRule = "4Gi"
    """Memory in Kubernetes notation, or a rule by which it grows with the input of the step."""
    gpu: int = Field(0, ge=0, le=64)
    """Number of GPUs. With one or more, XGBoost trains on CUDA, or on the CPU with a warning where no device is
    usable."""
    gpu_type: LabelValue | None = None
    """Value of the node label nvidia.com/gpu.product, such as NVIDIA-A100-SXM4-40GB; for other labels use
    `node_selector`."""
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels that a node must have."""
    tolerations: list[Toleration] = []
    """Node taints that the pods tolerate, in addition to nvidia.com/gpu, which pods with a GPU always tolerate."""
    max_runtime: Wait = timedelta(hours=6)
    """Maximum run time of a step, after which it fails: at once in a pod, otherwise before its next chunk of days."""
    run_max_runtime: Wait = timedelta(hours=6)
    """Maximum run time of a run of the model's jobs, including the delays before retries, after which it fails. Days
    that it has committed stay. Runs without a job, such as backfills, have the limit of the instance
    (`run_monitoring.max_runtime_seconds`)."""
    image: str | None = Field(None, min_length=1)
    """Image of the training pods, such as one for GPUs, with the same version of the code. null: that of the code
    location."""
    priority_class: ObjectName | None = "ml-assets-training"
    """PriorityClass of the training pods, which must exist in the cluster. null: that of the run's pod."""
    service_account: ObjectName | None = None
    """Service account of all step pods of the model, with which they access their buckets. null: that of the run's
    pod."""
    start_timeout: Wait = timedelta(minutes=30)
    """Maximum time for the pod of a step to start. If it takes longer (no node has room, or the image cannot be
    pulled), the pod is removed and the step fails with the reason."""
    data: DataCompute = DataCompute()
    parallel: Parallel = Parallel()
    dask: DaskCluster | None = None
    """Dask cluster whose workers compute the days of raw data, validated data and features in a run of many days, on
    more than one machine. Workers of a cluster created on Kubernetes get the CPU and memory of `data`. null: none."""

    prices: Prices | None = None
    """Prices per hour. null: a plan states the duration of a backfill but not its cost."""

    @model_validator(mode="after")
    def _has_one_kind_of_workers(self) -> "Compute":
        if self.dask is not None and self.parallel.processes > 1:
            raise ValueError("dask and parallel.processes exclude each other: days are computed by one kind of worker")
        return self

    @property
    def shares_pod(self) -> bool:
        """Whether the steps of all stages but the training stages run in the pod of their run."""
        if self.data.share_pod is not None:
            return self.data.share_pod
        return not isinstance(self.data.memory, MemoryRule) and self.service_account is None

    @model_validator(mode="after")
    def _shared_pod_has_the_account_of_the_run(self) -> "Compute":
        if self.data.share_pod and self.service_account is not None:
            raise ValueError(
                "data.share_pod: steps in the pod of their run have the service account of the run, so leave out "
                "service_account, or set data.share_pod to false"
            )
        return self

    @model_validator(mode="after")
    def _type_needs_gpu(self) -> "Compute":
        if self.gpu_type is not None and not self.gpu:
            raise ValueError("gpu_type: needs gpu to be 1 or more")
        return self
