"""Trials of a search in MLflow: one run for each, nested in the run of the Dagster run that made it."""

from datetime import date
from typing import TYPE_CHECKING

from ml_assets.resources.mlflow.connection import quiet_mlflow
from ml_assets.resources.mlflow.tracking import FINISHED, TrackedRun

if TYPE_CHECKING:
    from ml_assets.core.training.trials import Trial

STUDY, TRIAL = "study", "trial"


class TrialRuns:
    """The runs of the trials of one study.

    A run has the parameters, the figures of each fold (step 0, 1, ...), `mean_<metric>` and seconds, and the tags
    study, trial, day and pruned.

    A trial that has a run gets no second one; a run that was left unfinished, because the process that made it died, is
    completed.
    """

    def __init__(self, run: TrackedRun, model: str, study: str, day: date, metric: str):
        """Take the run of the Dagster run, the name of the model, that of the study, the day as of which it is, and the
        metric that it makes best.

        Raises:
            MlflowUnavailable: when MLflow cannot be reached.
        """
        self._run, self._metric = run, metric
        self._named = f"{model} {day}"
        self._tags = {STUDY: study, "day": day.isoformat()}
        with quiet_mlflow():
            found = run.client.search_runs([run.experiment_id], f"tags.{STUDY} = '{study}'", max_results=10_000)
        self._runs = {
            one.data.tags[TRIAL]: (one.info.run_id, one.info.status) for one in found if TRIAL in one.data.tags
        }

    def log_trial(self, trial: "Trial") -> None:
        """Log a trial, unless it has a finished run."""
        run_id, status = self._runs.get(str(trial.number), (None, None))
        if status == FINISHED:
            return
        with quiet_mlflow():
            if run_id is not None:
                self._log(run_id, trial)
                self._run.client.set_terminated(run_id, FINISHED)
                return
            tags = {**self._tags, TRIAL: str(trial.number), "pruned": str(trial.pruned).lower()}
            with self._run.nested(f"{self._named} trial {trial.number}", tags) as made:
                self._log(made, trial)

    def _log(self, run_id: str, trial: "Trial") -> None:
        from mlflow.entities import Metric, Param
        from mlflow.utils.time import get_current_time_millis

        now = get_current_time_millis()
        figures = [
            Metric(name, float(value), now, step)
            for step, fold in enumerate(trial.folds)
            for name, value in fold.items()
        ]
        figures += [Metric(f"mean_{self._metric}", trial.value, now, 0), Metric("seconds", trial.seconds, now, 0)]
        self._run.client.log_batch(
            run_id, figures, [Param(name, str(value)) for name, value in trial.parameters.items()]
        )
