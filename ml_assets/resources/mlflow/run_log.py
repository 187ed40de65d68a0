"""Parameters, metrics and files of one MLflow run, written through MlflowClient with an explicit run ID."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from ml_assets.resources.mlflow_internals.artifact_upload import upload
from ml_assets.resources.observability.redaction import redact_text

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow accepts 100 parameters and 1,000 items in a request.
PARAMS_PER_REQUEST = 100
METRICS_PER_REQUEST = 900
NOTHING: Mapping = MappingProxyType({})
# Matches characters such as the @ in XGBoost's tweedie-nloglik@1.5.
NOT_IN_METRIC_NAMES = re.compile(r"[^\w/\-. :]")
FINISHED = "FINISHED"
FAILED = "FAILED"
Item = TypeVar("Item")


class RunLog:
    """Writes to an existing run, whichever run is active in MLflow.

    Metrics that are not finite are left out, because stores differ in how they store NaN and infinity. Characters that
    MLflow does not accept in the name of a metric become `_`.

    Args:
        client: MLflow's client of the store that holds the run.
        run_id: ID of the run.
        artifact_uri: location of the artifacts of the run; looked up on first use if None.
    """

    def __init__(self, client: "MlflowClient", run_id: str, artifact_uri: str | None = None):
        self.client = client
        self.run_id = run_id
        self._artifact_uri = artifact_uri

    def log(
        self,
        params: Mapping[str, object] = NOTHING,
        metrics: Mapping[str, float] = NOTHING,
        curves: Mapping[str, Sequence[float]] = NOTHING,
        *,
        step: int = 0,
        after: int = 0,
        model_id: str | None = None,
    ) -> None:
        """Log parameters as text without the secrets of this process, metrics and learning curves, in as few requests
        as MLflow allows.

        Args:
            params: parameters by name.
            metrics: one value of each metric.
            curves: values by name of the metric, one for each round of boosting; the first round is step 1.
            step: the step of `metrics`.
            after: the number of rounds of `curves` that were logged before.
            model_id: ID of a logged model that gets `metrics` too.
        """
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        points = [
            Metric(metric_name(name), float(value), now, step, model_id=model_id) for name, value in metrics.items()
        ]
        for curve, values in curves.items():
            name = metric_name(curve)
            points += [Metric(name, values[number], now, number + 1) for number in range(after, len(values))]
        finite = [point for point in points if isfinite(point.value)]
        texts = [Param(name, redact_text(str(value))) for name, value in params.items()]
        requests = zip_longest(_batches(texts, PARAMS_PER_REQUEST), _batches(finite, METRICS_PER_REQUEST), fillvalue=())
        for some_params, some_metrics in requests:
            self.client.log_batch(self.run_id, metrics=some_metrics, params=some_params)

    def log_files(self, contents: Mapping[str, bytes]) -> None:
        """Log files by path as artifacts of the run."""
        if contents:
            with TemporaryDirectory() as directory:
                for name, content in contents.items():
                    path = Path(directory, name)
                    path.parent.mkdir(exist_ok=True)
                    path.write_bytes(content)
                location = self._artifact_uri or self.client.get_run(self.run_id).info.artifact_uri
                upload(Path(directory), location, self.client.tracking_uri)

    def finish(self) -> None:
        """Mark the run as FINISHED."""
        self.client.set_terminated(self.run_id, FINISHED)


def metric_name(name: str) -> str:
    """Return the name under which MLflow stores a metric."""
    return NOT_IN_METRIC_NAMES.sub("_", name)


def _batches(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
