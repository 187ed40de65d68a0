"""The check `label_timeliness`: labels that are missing, or became known later than `label_delay`, as counted by
`pipeline/features/label_store.py`.
"""

from dataclasses import dataclass
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks.data_checks import LabelTimelinessCheck

LABEL_TIMELINESS = "label_timeliness"


@dataclass(frozen=True)
class LabelTimes:
    """Counts of missing and of late labels, each with its total.

    unlabelled: (rows of the holdout without a label, rows of the holdout); None if a row without a label counts as
    negative, or if every row has a label. late: (labels that took effect only after `label_delay`, labels); None if
    labels come with the rows.
    """

    unlabelled: tuple[int, int] | None
    late: tuple[int, int] | None


def evaluate_label_timeliness(settings: LabelTimelinessCheck, day: date, times: LabelTimes) -> CheckOutcome:
    """Check that few labels are missing or late for the model of a day.

    Args:
        settings: the largest shares that pass.
        day: the day of the model.
        times: missing labels of the holdout, and late labels of training window and holdout, as of that day.
    """
    reasons, shares_pass = [], []
    for counts, maximum, description in [
        (times.unlabelled, settings.max_unlabelled_share, "rows of the holdout have no label"),
        (
            times.late,
            settings.max_late_share,
            "labels of training window and holdout became known after label_delay",
        ),
    ]:
        if counts is None:
            continue
        part, whole = counts
        if not whole:
            reasons.append(f"0 of 0 {description}")
            continue
        shares_pass.append(part / whole <= maximum)
        reasons.append(f"{part:,} of {whole:,} {description} ({part / whole:.2%}, at most {maximum:.2%} pass)")
    passed = all(shares_pass) if shares_pass else None
    return CheckOutcome(LABEL_TIMELINESS, day, passed, "; ".join(reasons), settings.severity)
