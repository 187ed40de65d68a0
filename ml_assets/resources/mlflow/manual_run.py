"""MLflow runs that a person starts, outside of a Dagster run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ml_assets.resources.mlflow.experiments import ensure_experiment
from ml_assets.resources.mlflow.run_log import FAILED, RunLog

if TYPE_CHECKING:
    from mlflow import MlflowClient


class ManualRun:
    """Opens runs in the experiment of a model, as `TrackedRun` does for a Dagster run, but without a parent run.

    Attributes:
        client: MLflow's client.
        dagster_run_id: empty: there is no Dagster run.
    """

    dagster_run_id = ""

    def __init__(self, client: "MlflowClient", uri: str, artifact_root: str | None, model: str):
        self.client = client
        self._uri = uri
        self._artifact_root = artifact_root
        self._model = model

    @property
    def experiment_id(self) -> str:
        """ID of the experiment, which is created unless it exists."""
        return ensure_experiment(self.client, self._model, self._uri, self._artifact_root).experiment_id

    @contextmanager
    def nested(self, name: str, tags: Mapping[str, str]) -> Iterator[RunLog]:
        """Open a new run, which ends as FINISHED, or as FAILED if the block raises."""
        info = self.client.create_run(self.experiment_id, run_name=name, tags=dict(tags)).info
        run_log = RunLog(self.client, info.run_id, info.artifact_uri)
        try:
            yield run_log
        except BaseException:
            self.client.set_terminated(info.run_id, FAILED)
            raise
        run_log.finish()
