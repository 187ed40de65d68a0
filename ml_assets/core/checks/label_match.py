"""The check `label_match`: labels that belong to no row."""

from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import LabelMatchCheck

if TYPE_CHECKING:
    from ml_assets.core.validation.label_match import LabelMatch


def evaluate_label_match(check: str, settings: LabelMatchCheck, day: date, match: "LabelMatch | None") -> CheckOutcome:
    """Check that few labels of a delivery belong to no row.

    Labels whose rows may be outside the lake do not count; a delivery without any other labels is not evaluated.

    Args:
        check: name of the check.
        settings: the maximum share.
        day: the day of the delivery.
        match: the labels of the delivery and their rows; None without labels.
    """

    def outcome(passed: bool | None, reason: str) -> CheckOutcome:
        lines = match.examples if match else ()
        return CheckOutcome(check, day, passed, reason, settings.severity, lines)

    if match is None:
        return outcome(None, "no labels were delivered")
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
