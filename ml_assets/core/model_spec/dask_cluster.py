"""Where boosting runs: engines, and the Dask cluster of the engine `dask`."""

from typing import Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart

Engine = Literal["memory", "external_memory", "dask"]


class Kubernetes(SpecPart):
    """A Dask cluster of its own for each training, made and removed by the Dask operator, which the Kubernetes cluster
    must have.
    """

    image: str = Field(min_length=1)
    """Image of scheduler and workers: it holds ml_assets with the extra dask, in the versions that the training step
    runs.
    """

    namespace: str = "default"
    """Namespace of the pods."""

    service_account: str = "default"
    """Service account of the pods; the workers read the lake with its rights."""

    secrets: list[str] = []
    """Names of Secrets whose entries are environment variables of the workers, such as the keys of the lake's
    bucket.
    """


class DaskCluster(SpecPart):
    """The cluster of the engine `dask`. Without address and kubernetes it is made of local processes, for one training.
    It is not part of what a model is made from: the same day is not trained again because it could be trained
    elsewhere."""

    address: str | None = None
    """Address of a scheduler that is there, such as tcp://scheduler:8786."""

    kubernetes: Kubernetes | None = None
    """How to make a cluster on Kubernetes; each worker gets the CPU, memory and GPU of `compute`."""

    workers: int = Field(2, ge=1)
    """Workers of a cluster that is made, and the fewest of one that is there. Local ones share the CPUs of
    `compute`.
    """

    @model_validator(mode="after")
    def _one_place(self) -> "DaskCluster":
        if self.address is not None and self.kubernetes is not None:
            raise ValueError("address and kubernetes exclude each other: a cluster is either there, or made")
        return self
