"""Labels that are missing, or came later than `label_delay` says."""

from dataclasses import dataclass
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import LabelTimelinessCheck

LABEL_TIMELINESS = "label_timeliness"


@dataclass(frozen=True)
class LabelTimes:
    """Labels that are there, or not, by the end of `label_delay`.

    unlabelled of rows: rows of the holdout without a label; None where a row without a label counts as negative, or
    cannot be. late of labels: labels that counted only after `label_delay`; None where labels come with the rows.
    """

    unlabelled: tuple[int, int] | None
    late: tuple[int, int] | None


def evaluate_label_timeliness(settings: LabelTimelinessCheck, day: date, found: LabelTimes) -> CheckOutcome:
    """Whether few labels are missing or late for the model of a day.

    Args:
        settings: the largest shares.
        day: the day of the model.
        found: (unlabelled, rows) of the holdout, (late, labels) of training window and holdout, as of that day.
    """
    said, failed, judged = [], False, False
    for counts, most, what in [
        (found.unlabelled, settings.max_unlabelled_share, "rows of the holdout have no label"),
        (found.late, settings.max_late_share, "labels of training window and holdout counted only after label_delay"),
    ]:
        if counts is None:
            continue
        part, whole = counts
        if not whole:
            said.append(f"none that could be counted: {what}")
            continue
        judged, failed = True, failed or part / whole > most
        said.append(f"{part:,} of {whole:,} {what} ({part / whole:.2%}, at most {most:.2%} pass)")
    return CheckOutcome(LABEL_TIMELINESS, day, not failed if judged else None, "; ".join(said), settings.severity)
