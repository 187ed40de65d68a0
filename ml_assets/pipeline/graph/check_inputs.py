"""Fingerprints of everything in the lake that the checks of a day read; outcomes are reused until these change."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.checks.files import DAYS_BEFORE
from ml_assets.core.checks.label_rate import REFERENCE_DAYS
from ml_assets.core.checks.repeated_day import LOOK_BACK
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import split_days
from ml_assets.pipeline.engine.day_fingerprints import day_fingerprints
from ml_assets.pipeline.engine.day_state import expected_fingerprint
from ml_assets.pipeline.engine.stage import CannotMake, KeepDay
from ml_assets.pipeline.features.reference_profiles import drift_reference_days
from ml_assets.pipeline.steps.kept_checks import Inputs

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation
    from ml_assets.pipeline.features.stage import FeatureEngineering
    from ml_assets.pipeline.validation.stage import Validation

VALIDATION_MODULES = (
    "ml_assets.pipeline.validation.acceptance_check",
    "ml_assets.pipeline.validation.contract_checks",
    "ml_assets.pipeline.validation.drift_checks",
    "ml_assets.pipeline.validation.label_match_check",
    "ml_assets.pipeline.validation.label_matching",
    "ml_assets.pipeline.validation.repeated_day_check",
    "ml_assets.pipeline.validation.volume_checks",
)
FEATURE_MODULES = (
    "ml_assets.pipeline.features.checks",
    "ml_assets.pipeline.features.reference_profiles",
    "ml_assets.pipeline.features.skew_check",
    "ml_assets.pipeline.validation.drift_checks",
)
EVALUATION_MODULES = (
    "ml_assets.pipeline.evaluation.gate_checks",
    "ml_assets.pipeline.evaluation.label_checks",
    "ml_assets.pipeline.evaluation.score_drift_check",
)


def days_compared(spec: ModelSpec, day: date) -> list[date]:
    """List the days before a day that the checks of validated rows compare it with, in order."""
    checks, day_length = spec.checks, timedelta(days=1)
    reach = max(
        7 * checks.row_count.weeks if checks.row_count else 0,
        checks.no_gaps.look_back // day_length if checks.no_gaps else 0,
        checks.column_drift.reference // day_length if checks.column_drift else 0,
        REFERENCE_DAYS if checks.label_rate else 0,
        LOOK_BACK if checks.no_repeated_day else 0,
    )
    return [day - timedelta(days=back) for back in range(reach, 0, -1)]


def validation_inputs(spec: ModelSpec, stage: "Validation", day: date) -> Inputs:
    """List the inputs of the checks of validated rows or labels: the day, the days that it is compared with, and the
    files of earlier days.
    """
    if not stage.validated.is_committed(day):
        return None
    if stage.matching is not None:
        # Labels are matched with all rows up to their day, but not compared with other labels.
        own = [day_fingerprints(stage.tables.values(), [day]), stage.landed_fingerprints([day])]
        return [*own, stage.matching.fingerprints(day)]
    files_before = [earlier for earlier in stage.days_with_files() if earlier < day][-DAYS_BEFORE:]
    # Days before the first day with rows are not gaps.
    first = min(stage.validated.row_counts(), default=None)
    return [
        day_fingerprints(stage.tables.values(), [*days_compared(spec, day), day]),
        stage.landed_fingerprints([*files_before, day]),
        str(first),
    ]


def feature_inputs(spec: ModelSpec, stage: "FeatureEngineering", day: date) -> Inputs:
    """List the inputs of the checks of features: the day, the training window of its model, and the inputs from which
    features are rebuilt as for serving.
    """
    if not stage.features.is_committed(day):
        return None
    try:
        expected: object = expected_fingerprint(stage, day)
    except (CannotMake, KeepDay) as error:
        expected = str(error)
    return [day_fingerprints(stage.tables.values(), [*drift_reference_days(spec, day), day]), expected]


def evaluation_inputs(spec: ModelSpec, stage: "ModelEvaluation", day: date) -> Inputs:
    """List the inputs of the checks of an evaluation: the day, the earlier evaluations that its label rate is compared
    with, and the deliveries of labels. A day without a model has no outcomes to reuse.
    """
    tables = stage.tables
    if not tables[stage.name].is_committed(day) or not tables[stage.name].row_counts().get(day):
        return None
    length = spec.evaluation.holdout
    earlier = [day - number * length for number in range(1, -(-timedelta(days=REFERENCE_DAYS) // length) + 1)]
    labels = stage.holdout.rows.labels
    deliveries = labels.fingerprints(split_days(spec, day).first, day) if labels else []
    return [day_fingerprints(tables.values(), [*earlier, day]), deliveries]
