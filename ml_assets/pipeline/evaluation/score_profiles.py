"""Profiles of the scores of a model on each day of its training window and of its holdout."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ml_assets.core.model.scorer import Scorer
    from ml_assets.pipeline.training.recent_features import RecentFeatures


def profile_scores(scores: "Mapping[date, np.ndarray]", time_zone: str) -> "pa.Table":
    """Profile the scores of each day, one row a day, with the columns of `SCORE_PROFILE_SCHEMA`."""
    import pyarrow as pa

    from ml_assets.core.profiling.profiles import profile_columns
    from ml_assets.core.tables.schemas import SCORE_PROFILE_SCHEMA

    parts = [SCORE_PROFILE_SCHEMA.empty_table()]
    for day, day_scores in scores.items():
        profile = profile_columns(pa.table({f"scores of {day}": day_scores}), time_zone)
        parts.append(profile.add_column(0, "scored_day", pa.array([day] * profile.num_rows, pa.date32())))
    return pa.concat_tables(parts)


def score_days(scorer: "Scorer", features: "RecentFeatures", days: Sequence[date]) -> "Mapping[date, np.ndarray]":
    """Score the rows of each day."""
    return {day: scorer.score(features.read_features(day, scorer.features)) for day in days}
