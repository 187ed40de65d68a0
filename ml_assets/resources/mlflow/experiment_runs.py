"""MLflow runs of experiments: models trained with overrides in one run. They are tracked with metrics and files, but
never registered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ml_assets.resources.mlflow.connection import quiet_mlflow
from ml_assets.resources.mlflow.tracking import TrackedRun
from ml_assets.resources.observability.redaction import redact_text

EXPERIMENT = "experiment"


@dataclass(frozen=True)
class Experiment:
    """A model of a day that is tracked but not registered.

    Attributes:
        name: name of the model.
        day: the day as of which it was trained.
        digest: digest of the model.
        params: settings of its training.
        metrics: metrics of the holdout by name, and metrics of the validation part by name with the prefix
            `validation_`.
        learning_curve: values of each metric of the validation part, one for each round.
        plots: images by file name.
        artifacts: files of the model by name, among them its passport.json.
        overrides: the settings that differ from the specification, as JSON.
    """

    name: str
    day: date
    digest: str
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    learning_curve: Mapping[str, Sequence[float]]
    plots: Mapping[str, bytes]
    artifacts: Mapping[str, bytes]
    overrides: str


def track_experiment(run: TrackedRun, experiment: Experiment) -> str:
    """Log an experiment to a new run nested in the run of the Dagster run, and return the ID of the new run.

    The run has the tags experiment, day, model_digest and overrides. Each learning curve is a metric
    `curve_<metric>`. Metrics that are not finite are left out.

    Raises:
        MlflowUnavailable: when MLflow cannot be reached.
    """
    tags = {
        EXPERIMENT: "true",
        "day": experiment.day.isoformat(),
        "model_digest": experiment.digest,
        "overrides": redact_text(experiment.overrides),
    }
    with quiet_mlflow(), run.nested(f"{experiment.name} {experiment.day} experiment", tags) as run_log:
        curves = {f"curve_{name}": values for name, values in experiment.learning_curve.items()}
        run_log.log(experiment.params, experiment.metrics, curves)
        files = {"plots": experiment.plots, "model": experiment.artifacts}
        run_log.log_files({f"{folder}/{name}": content for folder in files for name, content in files[folder].items()})
    return run_log.run_id
