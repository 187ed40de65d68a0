"""Scores of a model by day, of its training window and of its holdout: what they are like, and whether they drifted."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ml_assets.core.model.scorer import Scorer
    from ml_assets.resources.lake.table import Table


def profiles_of_scores(scores: "Mapping[date, np.ndarray]", time_zone: str) -> "pa.Table":
    """A row with `SCORE_PROFILE` for each day that has scores."""
    import pyarrow as pa

    from ml_assets.core.profiling.profiles import profile_columns
    from ml_assets.core.tables.schemas import SCORE_PROFILE_SCHEMA

    parts = [SCORE_PROFILE_SCHEMA.empty_table()]
    for day, of_day in scores.items():
        profile = profile_columns(pa.table({f"scores of {day}": of_day}), time_zone)
        parts.append(profile.add_column(0, "scored_day", pa.array([day] * profile.num_rows, pa.date32())))
    return pa.concat_tables(parts)


def score_days(scorer: "Scorer", features: "Table", days: Sequence[date]) -> "Mapping[date, np.ndarray]":
    """Scores of the rows of each day, one day of features in memory at a time."""
    from ml_assets.core.tables.schemas import to_pandas

    return {day: scorer.score(to_pandas(features.read([day], scorer.features))) for day in days}
