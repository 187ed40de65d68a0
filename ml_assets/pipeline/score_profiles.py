"""Scores of a model by day, of its training window and of its holdout: what they are like, and whether they drifted."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.findings import Finding, with_accepted
from ml_assets.core.spec import ModelSpec
from ml_assets.core.splits import Split, split_days
from ml_assets.pipeline.check_results import Judged, check_spec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ml_assets.core.drift import ColumnDrift
    from ml_assets.core.scorer import Scorer
    from ml_assets.pipeline.evaluation import ModelEvaluation
    from ml_assets.resources.table import Table

SCORES, SCORE_DRIFT = "score_profiles", "score_drift"


def profiles_of_scores(scores: "Mapping[date, np.ndarray]", time_zone: str) -> "pa.Table":
    """A row with `SCORE_PROFILE` for each day that has scores."""
    import pyarrow as pa

    from ml_assets.core.profiles import profile_columns
    from ml_assets.core.schemas import SCORE_PROFILE

    parts = [SCORE_PROFILE.empty_table()]
    for day, of_day in scores.items():
        profile = profile_columns(pa.table({f"scores of {day}": of_day}), time_zone)
        parts.append(profile.add_column(0, "scored_day", pa.array([day] * profile.num_rows, pa.date32())))
    return pa.concat_tables(parts)


def score_days(scorer: "Scorer", features: "Table", days: Sequence[date]) -> "Mapping[date, np.ndarray]":
    """Scores of the rows of each day, one day of features in memory at a time."""
    from ml_assets.core.schemas import to_pandas

    return {day: scorer.score(to_pandas(features.read([day], scorer.features))) for day in days}


def score_drift_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The check of the drift of scores, unless it is switched off."""
    settings = spec.checks.score_drift
    about = "Fails when the scores of a day of the holdout are distributed otherwise than those of the training window."
    return [check_spec(SCORE_DRIFT, key, settings, about)] if settings else []


def judge_score_drift(spec: ModelSpec, stage: "ModelEvaluation", days: Sequence[date], key: dg.AssetKey) -> Iterator[Judged]:
    """What `score_drift` finds on the days of a run; the picture is of the newest that drifted; in a run of one day, of that day."""
    from ml_assets.core.drift_findings import drift_finding
    from ml_assets.core.drift_pictures import drift_picture

    settings = spec.checks.score_drift
    if settings is None:
        return
    found: list[Finding] = []
    shown: tuple[date, list[ColumnDrift]] | None = None
    for day in days:
        if not stage.model_row(day)["model_digest"]:
            found.append(Finding(SCORE_DRIFT, day, None, "there is no model", settings.severity))
            continue
        drifts = _drifts(spec, stage, day)
        found.append(drift_finding(SCORE_DRIFT, day, drifts, settings))
        if found[-1].failed or (drifts and len(days) == 1):
            shown = day, drifts
    picture = drift_picture(shown[1], f"{SCORE_DRIFT} of {shown[0]}") if shown else None
    yield Judged(key, SCORE_DRIFT, with_accepted(spec.checks, found), picture)


def _drifts(spec: ModelSpec, stage: "ModelEvaluation", day: date) -> "list[ColumnDrift]":
    """Each day of the holdout against the training window, the worst first."""
    from ml_assets.core.drift_findings import drifts_of
    from ml_assets.core.profiles import read_profiles

    table = stage.tables[SCORES]
    stored = table.read([day], table.schema.names)
    by_name = read_profiles(stored).get(day, {})
    of_day = {used: by_name[name] for used, name in zip(stored["scored_day"].to_pylist(), stored["name"].to_pylist(), strict=True)}
    split: Split = split_days(spec, day)
    window = [of_day[used] for used in split.window if used in of_day]
    judged = {of_day[used].name: of_day[used] for used in split.holdout if used in of_day}
    assert spec.checks.score_drift is not None
    return drifts_of(judged, dict.fromkeys(judged, window), spec.checks.score_drift)
