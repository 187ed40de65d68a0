"""The check `label_match`: labels that belong to no row."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks.data_checks import LabelMatchCheck

if TYPE_CHECKING:
    from ml_assets.core.validation.label_match import LabelMatch


DAYS_BEFORE, LEAST_MEAN = 14, 10


def evaluate_label_match(
    check: str, settings: LabelMatchCheck, day: date, match: "LabelMatch | None", before: Sequence[int] = ()
) -> CheckOutcome:
    """Check that few labels of a delivery belong to no row, and that a day on which labels are due has some.

    Labels whose rows may be outside the lake do not count; a delivery without any other labels is not evaluated. Nor is
    a day without labels, unless each of the `DAYS_BEFORE` days before had some, at least `LEAST_MEAN` on average: fewer
    may be absent by chance.

    Args:
        check: name of the check.
        settings: the maximum share.
        day: the day of the delivery.
        match: the labels of the delivery and their rows; None without labels.
        before: number of labels on each of the days before.
    """

    def outcome(passed: bool | None, reason: str) -> CheckOutcome:
        lines = match.examples if match else ()
        return CheckOutcome(check, day, passed, reason, settings.severity, lines)

    if match is None:
        is_due = len(before) >= DAYS_BEFORE and min(before) > 0 and sum(before) >= LEAST_MEAN * len(before)
        usual = f", but on each of the {len(before)} days before, {sum(before):,} in all" if is_due else ""
        return outcome(False if is_due else None, f"no labels were delivered{usual}")
    undecided = f"; the rows of {match.undecided:,} more may be outside the lake" if match.undecided else ""
    if not match.decided:
        return outcome(None, f"no row was found for the labels{undecided}")
    counts = (
        f"{match.without_row:,} of {match.decided:,} labels belong to no row ({match.share:.2%}, at most "
        f"{settings.max_unmatched_share:.2%} pass)"
    )
    return outcome(match.share <= settings.max_unmatched_share, f"{counts}{_hint(match)}{undecided}")


def _hint(match: "LabelMatch") -> str:
    if not match.without_row:
        return ""
    example = match.examples[0]
    if not match.other_form:
        return f", such as {example['label']!r}"
    return (
        f"; the keys of {match.other_form:,} differ from a row's key in form only, such as {example['label']!r} from "
        f"{example['row']!r} ({example['difference']})"
    )
