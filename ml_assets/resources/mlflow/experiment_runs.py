"""Experiments in MLflow: a model that was trained with other settings for one run, with its figures and files, and no
version of the registry.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from ml_assets.resources.mlflow.connection import quiet_mlflow
from ml_assets.resources.mlflow.learning_curve import log_curve
from ml_assets.resources.mlflow.tracking import TrackedRun

EXPERIMENT = "experiment"


@dataclass(frozen=True)
class Experiment:
    """A model of a day that is tracked only.

    params: settings of its training. metrics: figures by name, of the holdout, and of the validation part with
    `validation_` before them. learning_curve: metrics of the validation part by round. pictures: PNG by file name.
    artifacts: its files with the passport. overrides: JSON.
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
    """The id of a new run of the experiment, nested in the run of the Dagster run.

    It has the tags experiment, day, model_digest and overrides; metrics that are not finite are left out. The learning
    curve is the metrics `curve_<metric>`, see `log_curve`.

    Raises:
        MlflowUnavailable: when MLflow cannot be reached.
    """
    from mlflow.entities import Metric, Param
    from mlflow.utils.time import get_current_time_millis

    tags = {
        EXPERIMENT: "true",
        "day": experiment.day.isoformat(),
        "model_digest": experiment.digest,
        "overrides": experiment.overrides,
    }
    with quiet_mlflow(), run.nested(f"{experiment.name} {experiment.day} experiment", tags) as run_id:
        now = get_current_time_millis()
        metrics = [
            Metric(name, float(value), now, 0) for name, value in experiment.metrics.items() if math.isfinite(value)
        ]
        run.client.log_batch(
            run_id, metrics=metrics, params=[Param(name, str(value)) for name, value in experiment.params.items()]
        )
        log_curve(run.client, run_id, {f"curve_{name}": values for name, values in experiment.learning_curve.items()})
        for folder, contents in (("plots", experiment.plots), ("model", experiment.artifacts)):
            with TemporaryDirectory() as place:
                for name, content in contents.items():
                    Path(place, name).write_bytes(content)
                run.client.log_artifacts(run_id, place, folder)
    return run_id
