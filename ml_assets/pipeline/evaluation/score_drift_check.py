"""The check score_drift: scores of the holdout against those of the training window."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import Split, split_days
from ml_assets.pipeline.asset_names import SCORE_DRIFT, SCORE_PROFILES
from ml_assets.pipeline.steps.check_results import CheckRun, check_spec

if TYPE_CHECKING:
    from ml_assets.core.profiling.drift import ColumnDrift
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation


def score_drift_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The check of the drift of scores, unless it is switched off."""
    settings = spec.checks.score_drift
    about = "Fails when the scores of a day of the holdout are distributed otherwise than those of the training window."
    return [check_spec(SCORE_DRIFT, key, settings, about)] if settings else []


def evaluate_score_drift(
    spec: ModelSpec, stage: "ModelEvaluation", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """What `score_drift` finds on the days of a run; the picture is of the newest that drifted; in a run of one day, of
    that day.
    """
    from ml_assets.core.checks.drift import evaluate_drift
    from ml_assets.core.plots.drift import drift_plot

    settings = spec.checks.score_drift
    if settings is None:
        return
    found: list[CheckOutcome] = []
    shown: tuple[date, list[ColumnDrift]] | None = None
    for day in days:
        if not stage.model_row(day)["model_digest"]:
            found.append(CheckOutcome(SCORE_DRIFT, day, None, "there is no model", settings.severity))
            continue
        drifts = _drifts(spec, stage, day)
        found.append(evaluate_drift(SCORE_DRIFT, day, drifts, settings))
        if found[-1].failed or (drifts and len(days) == 1):
            shown = day, drifts
    plot = drift_plot(shown[1], f"{SCORE_DRIFT} of {shown[0]}") if shown else None
    yield CheckRun(key, SCORE_DRIFT, apply_accepted_failures(spec.checks, found), plot)


def _drifts(spec: ModelSpec, stage: "ModelEvaluation", day: date) -> "list[ColumnDrift]":
    """Each day of the holdout against the training window, the worst first."""
    from ml_assets.core.checks.drift import measure_drift
    from ml_assets.core.profiling.profiles import read_profiles

    table = stage.tables[SCORE_PROFILES]
    stored = table.read([day], table.schema.names)
    by_name = read_profiles(stored).get(day, {})
    of_day = {
        used: by_name[name]
        for used, name in zip(stored["scored_day"].to_pylist(), stored["name"].to_pylist(), strict=True)
    }
    split: Split = split_days(spec, day)
    window = [of_day[used] for used in split.window if used in of_day]
    judged = {of_day[used].name: of_day[used] for used in split.holdout if used in of_day}
    assert spec.checks.score_drift is not None
    return measure_drift(judged, dict.fromkeys(judged, window), spec.checks.score_drift)
