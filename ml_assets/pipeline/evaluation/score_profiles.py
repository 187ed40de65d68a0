"""Profiles of a model's predictions on each day of its training window and holdout."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, REGRESSION, Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ml_assets.core.model.scorer import Scorer
    from ml_assets.pipeline.training.recent_features import RecentFeatures


def profile_scores(scores: "Mapping[date, np.ndarray]", time_zone: str, task: Task = BINARY) -> "pa.Table":
    """Profile the scores, predictions or classes of each day, one row per day, with the columns of
    `SCORE_PROFILE_SCHEMA`.

    Args:
        scores: score, prediction or class of each row, by day.
        time_zone: IANA name of the time zone in which days begin.
        task: the task of the model; classes are profiled as text whatever the type of their labels.
    """
    import pyarrow as pa

    from ml_assets.core.profiling.profiles import profile_columns
    from ml_assets.core.tables.schemas import SCORE_PROFILE_SCHEMA

    what = {MULTICLASS: "predicted classes", REGRESSION: "predictions"}.get(task, "scores")
    parts = [SCORE_PROFILE_SCHEMA.empty_table()]
    for day, day_scores in scores.items():
        values = pa.array([str(label) for label in day_scores], pa.string()) if task == MULTICLASS else day_scores
        profile = profile_columns(pa.table({f"{what} of {day}": values}), time_zone)
        parts.append(profile.add_column(0, "scored_day", pa.array([day] * profile.num_rows, pa.date32())))
    return pa.concat_tables(parts)


def predict_days(scorer: "Scorer", features: "RecentFeatures", days: Sequence[date]) -> "Mapping[date, np.ndarray]":
    """Predict the rows of each day: their score, prediction or class."""
    return {day: _main(scorer.predict(features.read_features(day, scorer.features))) for day in days}


def _main(predictions: "Mapping[str, np.ndarray]") -> "np.ndarray":
    """Return the main column of predictions, see `Outputs.main`."""
    return next(iter(predictions.values()))
