"""Progress of long training in the log of the run and in a nested MLflow run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec

if TYPE_CHECKING:
    from ml_assets.core.training.progress import Curve, Progress, Tell
    from ml_assets.resources.mlflow.tracking import TrackedRun


Follow = Callable[[date], "AbstractContextManager[Tell | None]"]


def follow_in_log(day: date) -> AbstractContextManager[None]:
    """Report the progress of training only in the log."""
    return nullcontext()


class TrainingProgress:
    """Reporter of the progress of training in one Dagster run.

    The first report opens a nested MLflow run, `training <model> <day>`. It comes some seconds after training began, so
    that short training opens none. The MLflow run ends with training, as FAILED if training failed. If MLflow cannot be
    reached, the log says so once and training continues. Several models may be followed at the same time.
    """

    def __init__(self, spec: ModelSpec, context: dg.AssetExecutionContext):
        self._spec = spec
        self._context = context
        self._tracked = _SharedRun(spec, context)

    @contextmanager
    def follow(self, day: date) -> "Iterator[Tell]":
        """Open a callback that reports the progress of the model of one day."""
        mlflow_run = _MlflowRun(self._spec, self._context, self._tracked, day)

        def report(progress: "Progress") -> None:
            self._context.log.info(f"{self._spec.name} {day}: {progress.line()}")
            mlflow_run.report(progress)

        try:
            yield report
        except BaseException as error:
            mlflow_run.end(error)
            raise
        mlflow_run.end(None)


class _SharedRun:
    """The MLflow run of the Dagster run. A process can open only one; it is open while any model reports to it."""

    def __init__(self, spec: ModelSpec, context: dg.AssetExecutionContext):
        self._spec = spec
        self._context = context
        self._contexts = ExitStack()
        self._run: TrackedRun | None = None
        self._users = 0

    @contextmanager
    def open(self) -> "Iterator[TrackedRun]":
        if self._run is None:
            self._run = self._contexts.enter_context(
                self._context.resources.tracking.run(self._context, self._spec.name)
            )
        self._users += 1
        try:
            yield self._run
        except BaseException as error:
            self._leave(error)
            raise
        self._leave(None)

    def _leave(self, error: BaseException | None) -> None:
        self._users -= 1
        if not self._users:
            self._run = None
            self._contexts.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


class _MlflowRun:
    def __init__(self, spec: ModelSpec, context: dg.AssetExecutionContext, shared: _SharedRun, day: date):
        self._spec = spec
        self._context = context
        self._shared = shared
        self._day = day
        self._contexts = ExitStack()
        self._run = None
        self._has_failed = False
        self._logged_rounds: dict[str, int] = {}

    def report(self, progress: "Progress") -> None:
        if self._has_failed:
            return
        try:
            if self._run is None:
                tracked = self._contexts.enter_context(self._shared.open())
                tags = {"day": self._day.isoformat(), "part": "training"}
                self._run = self._contexts.enter_context(
                    tracked.nested(f"training {self._spec.name} {self._day}", tags)
                )
            self._log(progress)
        except Exception as error:
            self._stop_reporting(error)

    def end(self, error: BaseException | None) -> None:
        """End the run with the status of training; an error of MLflow never replaces the error of training."""
        try:
            self._contexts.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
        except BaseException as problem:
            if problem is not error:
                self._stop_reporting(problem)

    def _log(self, progress: "Progress") -> None:
        assert self._run is not None
        phase = progress.phase
        curves: Curve = {f"{phase}_{name}": values for name, values in progress.curve.items()}
        self._run.log(curves=curves, after=self._logged_rounds.get(phase, 0))
        self._logged_rounds[phase] = progress.round
        metrics = {
            f"{phase}_round": progress.round,
            f"{phase}_rows_per_second": progress.rows_per_second,
            f"{phase}_seconds_left": progress.seconds_left,
        }
        self._run.log(metrics=metrics, step=progress.round)

    def _stop_reporting(self, error: BaseException) -> None:
        self._has_failed = True
        self._context.log.warning(
            f"{self._spec.name} {self._day}: the progress of training cannot be logged to MLflow ({error}); "
            "training continues"
        )
