"""Whether the committed features of a day come out the same when they are built one moment at a time, as they are when a row is scored."""

from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.findings import Finding
from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.checks import Severity
from ml_assets.pipeline.days import expected_fingerprint
from ml_assets.pipeline.stage import CannotMake, KeepDay

if TYPE_CHECKING:
    from ml_assets.pipeline.features import FeatureEngineering

CHECK = "same_when_scored"


def scored_finding(spec: ModelSpec, stage: "FeatureEngineering", day: date, severity: Severity) -> Finding:
    """Build the features of a few moments of the day and compare them with those that are committed.

    A day that would be made otherwise by now, because of what it reads or because that was removed, is not judged.
    """
    from ml_assets.core.schemas import to_pandas
    from ml_assets.core.scoring_path import differences, features_at, moments_of

    try:
        is_current = expected_fingerprint(stage, day) == stage.features.fingerprint(day)
    except (CannotMake, KeepDay) as error:
        return Finding(CHECK, day, None, f"the day cannot be made again: {error}", severity)
    if not is_current:
        return Finding(CHECK, day, None, "what the day was made from has changed since", severity)
    committed = to_pandas(stage.features.read([day]))
    if committed.empty:
        return Finding(CHECK, day, None, "the day has no rows", severity)
    rows, history = stage.known(day)
    lines, moments = [], moments_of(committed[spec.event_time])
    for moment in moments:
        of_moment = committed[committed[spec.event_time] == moment].reset_index(drop=True)
        lines += differences(spec, of_moment, features_at(spec, rows, history, moment))
    if not lines:
        return Finding(CHECK, day, True, f"the features of {len(moments)} moments come out the same when they are scored", severity)
    names = sorted({str(line["feature"]) for line in lines})
    reason = f"{', '.join(names)} come out otherwise when they are built from what is known at the moment of the row"
    return Finding(CHECK, day, False, reason, severity, lines)
