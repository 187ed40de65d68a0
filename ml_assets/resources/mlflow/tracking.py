"""Experiment tracking in MLflow through dagster-mlflow: one MLflow run per Dagster run, opened when there is something
to log, and always ended.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.resources.databases.postgresql_uri import is_postgresql
from ml_assets.resources.databases.uri_secrets import reveal, shown
from ml_assets.resources.mlflow.connection import connect, quiet_mlflow, remember_global_state, sqlite_path

if TYPE_CHECKING:
    from dagster_mlflow.resources import MlFlow
    from mlflow import MlflowClient

log = logging.getLogger("ml_assets.tracking")
FINISHED, FAILED = "FINISHED", "FAILED"
RUN_TAG = "dagster_run_id"


@dataclass(frozen=True)
class _ResourceContext:
    """What dagster-mlflow reads of the context in which Dagster starts a resource."""

    log: Any
    run_id: str
    dagster_run: Any
    resource_config: Mapping[str, object]


class TrackedRun:
    """The MLflow run of one Dagster run, and one nested run per model in it.

    dagster-mlflow is used for what it is good at: experiment, run and tags of the Dagster run. It has three faults that
    decide what is not left to it. It works on MLflow's global active run, so a run that somebody left active takes
    everything that is logged. It looks the run of a Dagster run up and starts one when there is none, without a lock,
    so two steps that begin together make two. Its hook ends the run when any step fails or the topologically last step
    succeeds, though others still log. So whatever must exist exactly once (nested runs, their content, model versions)
    goes through MlflowClient with explicit ids, and the run is ended here, not by the hook.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, tracking_uri: str, artifact_root: str | None, experiment: str
    ):
        self._context, self._tracking_uri, self._artifact_root, self._experiment = (
            context,
            reveal(tracking_uri),
            artifact_root,
            experiment,
        )
        self._resource: MlFlow | None = None
        self._run_id: str | None = None
        self._restore: Callable[[], None] = lambda: None

    @property
    def mlflow(self) -> "MlFlow":
        """The resource of dagster-mlflow, with the run of the Dagster run active; the first use opens it.

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
        """Id of the experiment."""
        experiment = self.mlflow.experiment
        assert experiment is not None
        return experiment.experiment_id

    @property
    def dagster_run_id(self) -> str:
        """Id of the Dagster run."""
        return self._context.run.run_id

    @contextmanager
    def nested(self, name: str, tags: Mapping[str, str]) -> Iterator[str]:
        """A nested run, new each time: yields its id for MlflowClient. It ends as FINISHED, or as FAILED when the block
        raises.
        """
        client = self.client
        # By the tag dagster_run_id dagster-mlflow finds the run of the Dagster run: on a nested run, the next step
        # would take that one for it.
        tags = {key: value for key, value in tags.items() if key != RUN_TAG}
        run_id = client.create_run(
            self.experiment_id, run_name=name, tags={**tags, "mlflow.parentRunId": self._parent_id()}
        ).info.run_id
        try:
            yield run_id
        except BaseException:
            self._end_after_failure(run_id)
            raise
        client.set_terminated(run_id, FINISHED)

    def end(self, failed: bool) -> None:
        """End the run, if it was ever opened, and leave MLflow's global state as it was."""
        if self._resource is None:
            return
        with quiet_mlflow():
            try:
                if failed:
                    self._end_after_failure(self._parent_id())
                else:
                    self.client.set_terminated(self._parent_id(), FINISHED)
            finally:
                self._forget(FAILED if failed else FINISHED)

    def _open(self) -> "MlFlow":
        self._make_experiment(connect(self._tracking_uri))
        import mlflow
        from dagster_mlflow.resources import MlFlow

        if foreign := mlflow.active_run():
            raise RuntimeError(
                f"the MLflow run {foreign.info.run_id} is active in this process, so what this step logs would end up in it; "
                "end it (mlflow.end_run()) in the code that started it"
            )
        self._restore = remember_global_state()
        config = {
            "experiment_name": self._experiment,
            "mlflow_tracking_uri": self._tracking_uri,
            "env": {},
            "extra_tags": {},
        }
        try:
            resource = MlFlow(_ResourceContext(self._context.log, self.dagster_run_id, self._context.run, config))
        except BaseException:
            self._forget(FAILED)
            raise
        # The resource knows the id only of a run that it found, not of one that it started.
        active = mlflow.active_run()
        assert active is not None
        self._run_id = active.info.run_id
        return resource

    def _make_experiment(self, client: "MlflowClient") -> None:
        """Without this, dagster-mlflow makes the experiment, and with a database as store its artifacts go to the
        current directory.
        """
        from mlflow.exceptions import MlflowException

        root = self._artifact_root
        if root is None and (store := sqlite_path(self._tracking_uri)):
            root = (store.parent / "mlartifacts").as_uri()
        if root is None and is_postgresql(self._tracking_uri):
            raise ValueError(
                f"MLflow's store {shown(self._tracking_uri)} says nothing about where artifacts go: set MLFLOW_DEFAULT_ARTIFACT_ROOT to a "
                "directory or s3://bucket/prefix that every process reaches"
            )
        if client.get_experiment_by_name(self._experiment) is not None:
            return
        try:
            client.create_experiment(
                self._experiment, artifact_location=f"{root.rstrip('/')}/{self._experiment}" if root else None
            )
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _parent_id(self) -> str:
        assert self._run_id is not None
        return self._run_id

    def _end_after_failure(self, run_id: str) -> None:
        """The failure itself must reach the caller, whether or not MLflow can still be told of it."""
        try:
            self.client.set_terminated(run_id, FAILED)
        except Exception as error:
            log.warning("the MLflow run %s could not be marked as failed: %s", run_id, error)

    def _forget(self, status: str) -> None:
        import mlflow

        while mlflow.active_run() is not None:
            try:
                mlflow.end_run(status)
            except Exception as error:
                log.warning("an MLflow run could not be ended: %s", error)
        self._restore()


class ExperimentTracking(dg.ConfigurableResource):
    """Where parameters, metrics and pictures of trained models are kept."""

    tracking_uri: str
    """`http://...` of an MLflow server, or a database (`sqlite:////data/mlflow.db`, `postgresql://...`, hidden when it
    names a user).
    """

    artifact_root: str | None = None
    """URI under which a new experiment keeps its artifacts. Without it a server decides, and a sqlite store keeps them
    in `mlartifacts` beside it; PostgreSQL needs it."""

    @contextmanager
    def run(self, context: dg.AssetExecutionContext, experiment: str) -> Iterator[TrackedRun]:
        """The MLflow run of the Dagster run (tag `dagster_run_id`), in `experiment`.

        It is opened by the first use of what is yielded: a block that logs nothing makes no MLflow run and imports no
        MLflow. It ends as FINISHED, or as FAILED when the block raises; a later step of the same Dagster run opens it
        again.
        """
        tracked = TrackedRun(context, self.tracking_uri, self.artifact_root, experiment)
        try:
            yield tracked
        except BaseException:
            tracked.end(failed=True)
            raise
        tracked.end(failed=False)
