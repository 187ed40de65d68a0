"""Learning curves in MLflow: a metric for each, whose steps are the rounds of boosting."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

METRICS_PER_REQUEST = 500


def log_curve(client: "MlflowClient", run_id: str, curve: Mapping[str, Sequence[float]], after: int = 0) -> None:
    """Log the rounds behind the first `after` of each curve to a run that exists; what is not finite is left out, as
    stores differ in what they make of it.

    Args:
        client: MLflow's client.
        run_id: the run.
        curve: values by name of the metric, one for each round; the first round is step 1.
        after: how many rounds were logged before.
    """
    from mlflow.entities import Metric
    from mlflow.utils.time import get_current_time_millis

    now = get_current_time_millis()
    points = [
        Metric(name, value, now, step)
        for name, values in curve.items()
        for step, value in enumerate(values, 1)
        if step > after and isfinite(value)
    ]
    for start in range(0, len(points), METRICS_PER_REQUEST):
        client.log_batch(run_id, metrics=points[start : start + METRICS_PER_REQUEST])
