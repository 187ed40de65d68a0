"""The check prediction_quality: estimated and realised quality against the holdout."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import PREDICTION_QUALITY
from ml_assets.pipeline.steps.check_results import CheckRun, enabled_check_specs

if TYPE_CHECKING:
    from ml_assets.pipeline.monitoring.quality_stage import PredictionQuality


def quality_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the check of the quality of predictions, unless it is switched off."""
    about = (
        "Fails when the estimated quality of the day's predictions, or the realised one of the newest labelled day, is "
        "lower than on the holdout of the model, beyond chance."
    )
    return enabled_check_specs(spec.checks, [PREDICTION_QUALITY], key, {PREDICTION_QUALITY: about})


def evaluate_quality_check(
    spec: ModelSpec, stage: "PredictionQuality", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """Evaluate `prediction_quality` on the days of a run."""
    from ml_assets.core.checks.prediction_quality import evaluate_prediction_quality

    settings = spec.checks.prediction_quality
    if settings is None:
        return
    outcomes = [evaluate_prediction_quality(PREDICTION_QUALITY, day, stage.rows([day]), settings) for day in days]
    yield CheckRun(key, PREDICTION_QUALITY, apply_accepted_failures(spec.checks, outcomes))
