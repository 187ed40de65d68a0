"""Progress of long training: lines in the run's log, and a nested MLflow run while it trains."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec

if TYPE_CHECKING:
    from ml_assets.core.training.progress import Curve, Progress, Tell


class TrainingProgress:
    """Follows the training of models in one Dagster run.

    A nested MLflow run, `training <model> <day>`, is opened by the first report, which comes some seconds after
    training began: training that is over by then makes none. It ends when training does, FAILED when that fails. When
    MLflow cannot be reached, the log says so once, and training goes on.
    """

    def __init__(self, spec: ModelSpec, context: dg.AssetExecutionContext):
        self._spec, self._context = spec, context

    @contextmanager
    def of(self, day: date) -> "Iterator[Tell]":
        """Takes the progress of the model of one day."""
        to_mlflow = _MlflowRun(self._spec, self._context, day)

        def tell(progress: "Progress") -> None:
            self._context.log.info(f"{self._spec.name} {day}: {progress.line()}")
            to_mlflow.tell(progress)

        try:
            yield tell
        except BaseException as error:
            to_mlflow.end(error)
            raise
        to_mlflow.end(None)


class _MlflowRun:
    def __init__(self, spec: ModelSpec, context: dg.AssetExecutionContext, day: date):
        self._spec, self._context, self._day = spec, context, day
        self._opened, self._run, self._is_lost = ExitStack(), None, False
        self._logged: dict[str, int] = {}

    def tell(self, progress: "Progress") -> None:
        if self._is_lost:
            return
        try:
            if self._run is None:
                tracked = self._opened.enter_context(
                    self._context.resources.tracking.run(self._context, self._spec.name)
                )
                tags = {"day": self._day.isoformat(), "part": "training"}
                self._run = (
                    tracked.client,
                    self._opened.enter_context(tracked.nested(f"training {self._spec.name} {self._day}", tags)),
                )
            self._log(progress)
        except Exception as error:
            self._lose(error)

    def end(self, error: BaseException | None) -> None:
        """The run ends as training did; nothing that MLflow does hides how that was."""
        try:
            self._opened.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
        except BaseException as problem:
            if problem is not error:
                self._lose(problem)

    def _log(self, progress: "Progress") -> None:
        from ml_assets.resources.mlflow.learning_curve import log_curve

        assert self._run is not None
        client, run_id = self._run
        curve: Curve = {f"{progress.phase}_{name}": values for name, values in progress.curve.items()}
        log_curve(client, run_id, curve, self._logged.get(progress.phase, 0))
        self._logged[progress.phase] = progress.round
        for name, value in [
            ("round", progress.round),
            ("rows_per_second", progress.rows_per_second),
            ("seconds_left", progress.seconds_left),
        ]:
            client.log_metric(run_id, f"{progress.phase}_{name}", value, step=progress.round)

    def _lose(self, error: BaseException) -> None:
        self._is_lost = True
        self._context.log.warning(
            f"{self._spec.name} {self._day}: MLflow does not take the progress of training ({error}); training goes on"
        )
