"""The check of served features against the batch features."""

from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.features.served_features import Comparison
from ml_assets.core.model_spec.checks.model_checks import ServedFeaturesCheck

MOST_NAMED = 3


def evaluate_served_features(
    check: str, day: date, comparison: Comparison, settings: ServedFeaturesCheck
) -> CheckOutcome:
    """Fail if a feature differs in more than the allowed share of the rows that were served and have landed.

    Args:
        check: name of the check.
        day: the day.
        comparison: the comparison of the served rows with the batch.
        settings: the bound.
    """
    served, landed = comparison.served, comparison.landed
    if not landed:
        reason = "no request was served" if not served else f"none of the {served} served rows has landed"
        return CheckOutcome(check, day, None, reason, settings.severity)
    rows = f"{landed} of {served} served rows have landed"
    lines = [
        {
            "feature": difference.feature,
            "rows": difference.rows,
            "differing": difference.differing,
            "share_equal": round(1 - difference.share, 6),
            "largest_difference": difference.largest,
            "mean_difference": difference.mean,
            **{f"example_{name}": value for name, value in (difference.example or {}).items()},
        }
        for difference in comparison.differences
    ]
    above = [difference for difference in comparison.differences if difference.share > settings.max_differing_share]
    figures = {"served": served, "landed": landed}
    if not above:
        equal = sum(difference.differing == 0 for difference in comparison.differences)
        reason = f"{rows}; {equal} of {len(lines)} features are equal in all of them, the others within the bound"
        return CheckOutcome(check, day, True, reason, settings.severity, lines, figures)
    named = ", ".join(
        f"{difference.feature} in {difference.share:.1%}"
        + (f" (by {difference.mean:.4g} on average)" if difference.mean is not None else "")
        for difference in above[:MOST_NAMED]
    )
    more = f" and {len(above) - MOST_NAMED} more features" if len(above) > MOST_NAMED else ""
    reason = f"{rows}; served features differ from the batch features: {named}{more}"
    return CheckOutcome(check, day, False, reason, settings.severity, lines, figures)
