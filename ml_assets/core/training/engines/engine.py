"""The engines of boosting, one of which the specification chooses."""

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
    """Where boosting runs. device: `cpu` or `cuda`. restarts: see `boosting.Phase`."""

    device: str
    restarts: bool

    def data(
        self, preprocessing: dict, train_on: list[date], watch: list[date] | None
    ) -> AbstractContextManager[Train]:
        """Make the rows of some days ready to be trained on, and of others to be watched; gives what trains."""
        ...


@contextmanager
def open_engine(spec: ModelSpec, days: LabelledDays, log: Callable[[str], None]) -> Iterator[Engine]:
    """The engine that `training.engine` names, until training is done.

    Raises:
        ClusterUnavailable: for `dask`, when a package is missing or there is no cluster; it says what to do.
    """
    if spec.training.engine == "dask":
        from ml_assets.core.training.engines.dask_cluster import open_cluster
        from ml_assets.core.training.engines.dask_engine import DaskEngine

        with open_cluster(spec, log) as client:
            yield DaskEngine(spec, days, client, log)
    else:
        yield LocalEngine(spec, choose_device(spec.compute.gpu, log), days)
