"""The check training_serving_skew: committed features against features built moment by moment, as for serving."""

from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.check import Severity
from ml_assets.pipeline.asset_names import TRAINING_SERVING_SKEW
from ml_assets.pipeline.engine.day_state import expected_fingerprint, holds_day
from ml_assets.pipeline.engine.stage import CannotMake, KeepDay

if TYPE_CHECKING:
    from ml_assets.pipeline.features.stage import FeatureEngineering


def evaluate_serving_skew(spec: ModelSpec, stage: "FeatureEngineering", day: date, severity: Severity) -> CheckOutcome:
    """Build the features of a few moments of the day and compare them with the committed ones.

    A day whose inputs changed or were removed since it was computed is not evaluated.
    """
    from ml_assets.core.features.serving_skew import build_features_at, compare_features, sample_moments, visible_rows
    from ml_assets.core.tables.schemas import to_pandas

    try:
        is_current = holds_day(stage, day, expected_fingerprint(stage, day))
    except (CannotMake, KeepDay) as error:
        return CheckOutcome(TRAINING_SERVING_SKEW, day, None, f"the day cannot be made again: {error}", severity)
    if not is_current:
        return CheckOutcome(
            TRAINING_SERVING_SKEW, day, None, "an input of the day changed after the day was made", severity
        )
    committed = to_pandas(stage.features.read([day]))
    if committed.empty:
        return CheckOutcome(TRAINING_SERVING_SKEW, day, None, "the day has no rows", severity)
    moments = sample_moments(committed[spec.event_time])
    rows, history = stage.read_rows_and_history(day)
    keys = rows[rows[spec.event_time].isin(moments)]
    rows, history = (visible_rows(spec, frame, moments, keys) for frame in (rows, history))
    lines = []
    for moment in moments:
        rows_at_moment = committed[committed[spec.event_time] == moment].reset_index(drop=True)
        lines += compare_features(spec, rows_at_moment, build_features_at(spec, rows, history, moment))
    if not lines:
        return CheckOutcome(
            TRAINING_SERVING_SKEW,
            day,
            True,
            f"the features of {len(moments)} moments are the same when built for serving",
            severity,
        )
    names = sorted({str(line["feature"]) for line in lines})
    reason = (
        f"training-serving skew of {', '.join(names)}: built from the data known at the moment of a row, values differ"
    )
    return CheckOutcome(TRAINING_SERVING_SKEW, day, False, reason, severity, lines)
