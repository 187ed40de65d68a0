"""MLflow runs of the trials of a hyperparameter search, nested in the run of the Dagster run that made each trial."""

from datetime import date
from typing import TYPE_CHECKING

from ml_assets.resources.mlflow.connection import quiet_mlflow
from ml_assets.resources.mlflow.run_log import FINISHED, RunLog
from ml_assets.resources.mlflow.tracking import TrackedRun

if TYPE_CHECKING:
    from ml_assets.core.training.trials import Trial

STUDY = "study"
TRIAL = "trial"


class TrialRuns:
    """The runs of the trials of one study.

    A run has the parameters, the metrics of each fold (step 0, 1, ...), `mean_<metric>` and seconds, and the tags
    study, trial, day and pruned. A trial with a finished run gets no second one; a run left unfinished by a dead
    process is completed.

    Args:
        run: the MLflow run of the Dagster run.
        model: name of the model.
        study: name of the study.
        day: the day as of which the study searches.
        metric: the metric that the study optimizes.

    Raises:
        MlflowUnavailable: when MLflow cannot be reached.
    """

    def __init__(self, run: TrackedRun, model: str, study: str, day: date, metric: str):
        self._run = run
        self._metric = metric
        self._run_name = f"{model} {day}"
        self._tags = {STUDY: study, "day": day.isoformat()}
        with quiet_mlflow():
            runs = run.client.search_runs([run.experiment_id], f"tags.{STUDY} = '{study}'", max_results=10_000)
        self._runs = {
            trial_run.data.tags[TRIAL]: (trial_run.info.run_id, trial_run.info.status)
            for trial_run in runs
            if TRIAL in trial_run.data.tags
        }

    def log_trial(self, trial: "Trial") -> None:
        """Log a trial, unless it has a finished run."""
        run_id, status = self._runs.get(str(trial.number), (None, None))
        if status == FINISHED:
            return
        with quiet_mlflow():
            if run_id is not None:
                unfinished = RunLog(self._run.client, run_id)
                self._log(unfinished, trial)
                unfinished.finish()
                return
            tags = {**self._tags, TRIAL: str(trial.number), "pruned": str(trial.pruned).lower()}
            with self._run.nested(f"{self._run_name} trial {trial.number}", tags) as run_log:
                self._log(run_log, trial)

    def _log(self, run_log: RunLog, trial: "Trial") -> None:
        run_log.log(trial.parameters)
        for step, fold in enumerate(trial.folds):
            run_log.log(metrics=fold, step=step)
        run_log.log(metrics={f"mean_{self._metric}": trial.value, "seconds": trial.seconds})
