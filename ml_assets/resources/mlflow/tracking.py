"""Experiment tracking in MLflow through dagster-mlflow: one MLflow run for each Dagster run, opened when there is
something to log, and always ended.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.resources.databases.uri_secrets import reveal
from ml_assets.resources.mlflow.connection import connect, quiet_mlflow
from ml_assets.resources.mlflow.dead_runs import KILLED, end_dead_runs
from ml_assets.resources.mlflow.experiments import ensure_experiment
from ml_assets.resources.mlflow.run_log import FAILED, FINISHED, RunLog
from ml_assets.resources.mlflow_internals.active_experiment import remember_global_state
from ml_assets.resources.mlflow_internals.dagster_mlflow_resource import create_resource

if TYPE_CHECKING:
    from dagster_mlflow.resources import MlFlow
    from mlflow import MlflowClient

log = logging.getLogger("ml_assets.tracking")
RUN_TAG = "dagster_run_id"


class TrackedRun:
    """The MLflow run of one Dagster run, and one nested run for each model in it.

    dagster-mlflow creates the experiment's run with the tags of the Dagster run. Three of its faults limit its use. It
    works on MLflow's global active run, so a run that other code left active receives everything that is logged. It
    looks up the run of a Dagster run and starts one if there is none, without a lock, so two steps that begin together
    create two. Its hook ends the run when any step fails or the topologically last step succeeds, although others still
    log. So whatever must exist exactly once (nested runs, their content, model versions) goes through MlflowClient with
    explicit IDs, and the run is ended here, not by the hook.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, tracking_uri: str, artifact_root: str | None, experiment: str
    ):
        self._context = context
        self._tracking_uri = reveal(tracking_uri)
        self._artifact_root = artifact_root and reveal(artifact_root)
        self._experiment = experiment
        self._resource: MlFlow | None = None
        self._run_id: str | None = None
        self._restore: Callable[[], None] = lambda: None

    @property
    def mlflow(self) -> "MlFlow":
        """The resource of dagster-mlflow, with the run of the Dagster run active; opened on first use.

        Raises:
            MlflowUnavailable: when the store cannot be reached.
            RuntimeError: when a foreign MLflow run is active in this thread.
        """
        if self._resource is None:
            with quiet_mlflow():
                self._resource = self._open()
        return self._resource

    @property
    def client(self) -> "MlflowClient":
        """MLflow's client of the tracking store."""
        return self.mlflow.tracking_client

    @property
    def experiment_id(self) -> str:
        """ID of the experiment."""
        experiment = self.mlflow.experiment
        assert experiment is not None
        return experiment.experiment_id

    @property
    def dagster_run_id(self) -> str:
        """ID of the Dagster run."""
        return self._context.run.run_id

    @contextmanager
    def nested(self, name: str, tags: Mapping[str, str]) -> Iterator[RunLog]:
        """Open a new nested run, which ends as FINISHED, or as FAILED if the block raises.

        Yields:
            The log of the run.
        """
        client = self.client
        # dagster-mlflow finds the run of a Dagster run by the tag dagster_run_id. A nested run with this tag would be
        # mistaken for it by the next step.
        tags = {key: value for key, value in tags.items() if key != RUN_TAG}
        info = client.create_run(
            self.experiment_id, run_name=name, tags={**tags, "mlflow.parentRunId": self._parent_id()}
        ).info
        run_log = RunLog(client, info.run_id, info.artifact_uri)
        try:
            yield run_log
        except BaseException as error:
            self._end_after_failure(info.run_id, _status_after(error))
            raise
        run_log.finish()

    def end(self, status: str) -> None:
        """End the run with a status, if it was opened, and restore MLflow's global state."""
        if self._resource is None:
            return
        with quiet_mlflow():
            try:
                if status != FINISHED:
                    self._end_after_failure(self._parent_id(), status)
                else:
                    self.client.set_terminated(self._parent_id(), FINISHED)
            finally:
                self._clear_global_state(status)

    def _open(self) -> "MlFlow":
        experiment = ensure_experiment(
            connect(self._tracking_uri), self._experiment, self._tracking_uri, self._artifact_root
        )
        self._end_dead_runs(experiment.experiment_id)
        import mlflow

        if foreign := mlflow.active_run():
            raise RuntimeError(
                f"the MLflow run {foreign.info.run_id} is active in this process, so what this step logs would end up "
                "in it; end it (mlflow.end_run()) in the code that started it"
            )
        self._restore = remember_global_state()
        try:
            resource = create_resource(self._context, self._tracking_uri, experiment.name)
        except BaseException:
            self._clear_global_state(FAILED)
            raise
        # The resource has the ID only of a run that existed before, not of one that it started.
        active = mlflow.active_run()
        assert active is not None
        self._run_id = active.info.run_id
        return resource

    def _end_dead_runs(self, experiment_id: str) -> None:
        """End MLflow runs that earlier runs left running; a failure to do so must not fail this run."""
        try:
            end_dead_runs(connect(self._tracking_uri), experiment_id, self._context.instance)
        except Exception as error:
            log.warning("MLflow runs of processes that are gone could not be ended: %s", error)

    def _parent_id(self) -> str:
        assert self._run_id is not None
        return self._run_id

    def _end_after_failure(self, run_id: str, status: str) -> None:
        """End a run with a status if MLflow can be reached; the failure itself must reach the caller in any case."""
        try:
            self.client.set_terminated(run_id, status)
        except Exception as error:
            log.warning("the MLflow run %s could not be marked as %s: %s", run_id, status, error)

    def _clear_global_state(self, status: str) -> None:
        import mlflow

        while mlflow.active_run() is not None:
            try:
                mlflow.end_run(status)
            except Exception as error:
                log.warning("an MLflow run could not be ended: %s", error)
        self._restore()


class ExperimentTracking(dg.ConfigurableResource):
    """The MLflow store that keeps parameters, metrics and plots of trained models."""

    tracking_uri: str
    """`http://...` of an MLflow server, or a database (`sqlite:////data/mlflow.db`, `postgresql://...`, hidden if it
    contains a user).
    """

    artifact_root: str | None = None
    """URI under which a new experiment keeps its artifacts. Without it a server decides, and a sqlite store keeps them
    in `mlartifacts` beside it; PostgreSQL needs it."""

    @contextmanager
    def run(self, context: dg.AssetExecutionContext, experiment: str) -> Iterator[TrackedRun]:
        """Track a Dagster run: its MLflow run (tag `dagster_run_id`) in `experiment`.

        The run is opened on first use of the yielded object: a block that logs nothing creates no MLflow run and does
        not import MLflow. It ends as FINISHED, as FAILED if the block raises, or as KILLED if the process is
        interrupted; a later step of the same Dagster run opens it again.
        """
        tracked = TrackedRun(context, self.tracking_uri, self.artifact_root, experiment)
        try:
            yield tracked
        except BaseException as error:
            tracked.end(_status_after(error))
            raise
        tracked.end(FINISHED)


def _status_after(error: BaseException) -> str:
    """Return the status of a run after an exception; an exception that is not an Exception counts as an
    interruption.
    """
    return FAILED if isinstance(error, Exception) else KILLED
