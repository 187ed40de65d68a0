"""The protocol of training engines, and the selection of the specified engine."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import Protocol

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.batches import LabelledDays
from ml_assets.core.training.boosting import Train
from ml_assets.core.training.engines.device import choose_device
from ml_assets.core.training.engines.local import LocalEngine


class Engine(Protocol):
    """A training engine. device: `cpu` or `cuda`. restarts: see `boosting.Phase`."""

    device: str
    restarts: bool

    def data(
        self, preprocessing: dict, train_on: list[date], watch: list[date] | None
    ) -> AbstractContextManager[Train]:
        """Prepare some days for training and others for validation; yield the function that trains."""
        ...


@contextmanager
def open_engine(spec: ModelSpec, days: LabelledDays, log: Callable[[str], None]) -> Iterator[Engine]:
    """Open the engine that `training.engine` names, and close it afterwards.

    Raises:
        ClusterUnavailable: for `dask`, when a package or the cluster is missing; the message says what to do.
    """
    if spec.training.engine == "dask":
        from ml_assets.core.training.engines.dask_cluster import for_training, open_cluster
        from ml_assets.core.training.engines.dask_engine import DaskEngine

        with open_cluster(spec.name, for_training(spec), log) as client:
            yield DaskEngine(spec, days, client, log)
    else:
        yield LocalEngine(spec, choose_device(spec.compute.gpu, log), days)
