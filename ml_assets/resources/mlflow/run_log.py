"""Parameters, metrics and files of one MLflow run, written through MlflowClient with an explicit run ID."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow accepts 100 parameters and 1,000 metrics in a request.
PARAMS_PER_REQUEST = 100
METRICS_PER_REQUEST = 500
FINISHED = "FINISHED"
FAILED = "FAILED"
Item = TypeVar("Item")


class RunLog:
    """Writes to a run that exists, whichever run is active in MLflow.

    Metrics that are not finite are left out, because stores differ in how they store NaN and infinity.

    Args:
        client: MLflow's client of the store that holds the run.
        run_id: ID of the run.
    """

    def __init__(self, client: "MlflowClient", run_id: str):
        self.client = client
        self.run_id = run_id

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log parameters as text."""
        from mlflow.entities import Param

        for batch in _batches([Param(name, str(value)) for name, value in params.items()], PARAMS_PER_REQUEST):
            self.client.log_batch(self.run_id, params=batch)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0, model_id: str | None = None) -> None:
        """Log one value of each metric, also to the logged model with the given ID, if any."""
        self._log_points(((name, float(value), step) for name, value in metrics.items()), model_id)

    def log_curves(self, curves: Mapping[str, Sequence[float]], after: int = 0) -> None:
        """Log learning curves: one metric for each curve, one step for each round of boosting.

        Args:
            curves: values by name of the metric, one for each round; the first round is step 1.
            after: the number of rounds that were logged before.
        """
        self._log_points(
            (name, value, step)
            for name, values in curves.items()
            for step, value in enumerate(values, 1)
            if step > after
        )

    def log_files(self, contents: Mapping[str, bytes], folder: str | None = None) -> None:
        """Log files by name as artifacts of the run, in a folder or at the top."""
        if contents:
            with TemporaryDirectory() as directory:
                for name, content in contents.items():
                    Path(directory, name).write_bytes(content)
                self.client.log_artifacts(self.run_id, directory, folder)

    def finish(self) -> None:
        """Mark the run as FINISHED."""
        self.client.set_terminated(self.run_id, FINISHED)

    def _log_points(self, points: Iterator[tuple[str, float, int]], model_id: str | None = None) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step, model_id=model_id) for name, value, step in points if isfinite(value)]
        for batch in _batches(metrics, METRICS_PER_REQUEST):
            self.client.log_batch(self.run_id, metrics=batch)


def _batches(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
