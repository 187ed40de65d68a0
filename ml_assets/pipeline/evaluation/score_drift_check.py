"""The check score_drift: scores of the holdout against those of the training window."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import Split, split_days
from ml_assets.pipeline.asset_names import SCORE_DRIFT, SCORE_PROFILES
from ml_assets.pipeline.steps.check_results import CheckRun, enabled_check_specs
from ml_assets.pipeline.training.due_days import why_no_model
from ml_assets.pipeline.validation.drift_checks import draw_drift

if TYPE_CHECKING:
    from ml_assets.core.profiling.drift import ColumnDrift
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation


def score_drift_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the check of the drift of scores, unless it is switched off."""
    about = (
        "Fails when the distribution of the scores, predictions or predicted classes of a holdout day differs from "
        "that of the training window."
    )
    return enabled_check_specs(spec.checks, [SCORE_DRIFT], key, {SCORE_DRIFT: about})


def evaluate_score_drift(
    spec: ModelSpec, stage: "ModelEvaluation", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """Evaluate `score_drift` on the days of a run.

    The plot is of the newest day that drifted; in a run of one day, of that day.
    """
    from ml_assets.core.checks.drift import evaluate_drift

    settings = spec.checks.score_drift
    if settings is None:
        return
    outcomes: list[CheckOutcome] = []
    plotted: tuple[date, list[ColumnDrift]] | None = None
    for day in days:
        if not (row := stage.evaluated_model(day))["model_digest"]:
            outcomes.append(CheckOutcome(SCORE_DRIFT, day, None, why_no_model(row), settings.severity))
            continue
        drifts = _measure_drifts(spec, stage, day)
        outcomes.append(evaluate_drift(SCORE_DRIFT, day, drifts, settings))
        if outcomes[-1].failed or (drifts and len(days) == 1):
            plotted = day, drifts
    plot = draw_drift(SCORE_DRIFT, *plotted) if plotted else None
    yield CheckRun(key, SCORE_DRIFT, apply_accepted_failures(spec.checks, outcomes), plot)


def _measure_drifts(spec: ModelSpec, stage: "ModelEvaluation", day: date) -> "list[ColumnDrift]":
    """Measure the drift of each day of the holdout against the training window, the worst first."""
    from ml_assets.core.checks.drift import measure_drift
    from ml_assets.core.profiling.profiles import read_profiles

    table = stage.tables[SCORE_PROFILES]
    stored = table.read([day], table.schema.names)
    by_name = read_profiles(stored).get(day, {})
    by_day = {
        scored_day: by_name[name]
        for scored_day, name in zip(stored["scored_day"].to_pylist(), stored["name"].to_pylist(), strict=True)
    }
    split: Split = split_days(spec, day)
    window = {window_day: by_day[window_day] for window_day in split.window if window_day in by_day}
    scored = {by_day[holdout_day].name: holdout_day for holdout_day in split.holdout if holdout_day in by_day}
    holdout = {name: by_day[holdout_day] for name, holdout_day in scored.items()}
    assert spec.checks.score_drift is not None
    return measure_drift(holdout, dict.fromkeys(holdout, window), spec.checks.score_drift, scored)
