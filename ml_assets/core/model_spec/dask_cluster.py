"""Dask clusters, for training and for the computation of many days."""

from typing import Literal

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart

Engine = Literal["memory", "external_memory", "dask"]


class Kubernetes(SpecPart):
    """A Dask cluster for each step, created and removed by the Dask operator, which must be installed in the
    Kubernetes cluster."""

    image: str = Field(min_length=1)
    """Image of scheduler and workers, with ml_assets and its extra dask in the versions of the training step."""

    namespace: str = "default"
    """Namespace of the pods."""

    service_account: str = "default"
    """Service account of the pods, with whose permissions the workers read the lake."""

    secrets: list[str] = []
    """Names of Secrets whose entries become environment variables of the workers, such as the keys of the lake's
    bucket."""


class DaskCluster(SpecPart):
    """A Dask cluster. Without `address` and `kubernetes` it consists of local processes, for one step. It is not part
    of any fingerprint, so changing it recomputes nothing."""

    address: str | None = None
    """Address of a running scheduler, such as tcp://scheduler:8786."""

    kubernetes: Kubernetes | None = None
    """A cluster that is created on Kubernetes; each worker for training gets the CPU, memory and GPU of `compute`."""

    workers: int = Field(2, ge=1, le=10_000)
    """Number of workers of a created cluster, and minimum number in a running one. Local workers share the CPUs of
    `compute`."""

    @model_validator(mode="after")
    def _has_one_cluster(self) -> "DaskCluster":
        if self.address is not None and self.kubernetes is not None:
            raise ValueError("address and kubernetes exclude each other: a cluster either runs already or is created")
        return self
