"""Whether the committed features of a day come out the same when they are built one moment at a time, as they are when
a row is scored.
"""

from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks import Severity
from ml_assets.pipeline.engine.day_state import expected_fingerprint
from ml_assets.pipeline.engine.stage import CannotMake, KeepDay

if TYPE_CHECKING:
    from ml_assets.pipeline.features.stage import FeatureEngineering

CHECK = "training_serving_skew"


def evaluate_serving_skew(spec: ModelSpec, stage: "FeatureEngineering", day: date, severity: Severity) -> CheckOutcome:
    """Build the features of a few moments of the day and compare them with those that are committed.

    A day that would be made otherwise by now, because of what it reads or because that was removed, is not judged.
    """
    from ml_assets.core.features.serving_skew import build_features_at, compare_features, sample_moments
    from ml_assets.core.tables.schemas import to_pandas

    try:
        is_current = expected_fingerprint(stage, day) == stage.features.fingerprint(day)
    except (CannotMake, KeepDay) as error:
        return CheckOutcome(CHECK, day, None, f"the day cannot be made again: {error}", severity)
    if not is_current:
        return CheckOutcome(CHECK, day, None, "what the day was made from has changed since", severity)
    committed = to_pandas(stage.features.read([day]))
    if committed.empty:
        return CheckOutcome(CHECK, day, None, "the day has no rows", severity)
    rows, history = stage.known(day)
    lines, moments = [], sample_moments(committed[spec.event_time])
    for moment in moments:
        of_moment = committed[committed[spec.event_time] == moment].reset_index(drop=True)
        lines += compare_features(spec, of_moment, build_features_at(spec, rows, history, moment))
    if not lines:
        return CheckOutcome(
            CHECK, day, True, f"the features of {len(moments)} moments come out the same when they are scored", severity
        )
    names = sorted({str(line["feature"]) for line in lines})
    reason = f"{', '.join(names)} come out otherwise when they are built from what is known at the moment of the row"
    return CheckOutcome(CHECK, day, False, reason, severity, lines)
