"""What the profiles of a day's features say by themselves: infinite, missing and constant features, and those that look
like the label.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import Check, MissingShareCheck, TargetLeakageCheck
from ml_assets.core.profiling.profiles import TEXT, Profile
from ml_assets.core.profiling.reference_profile import merge
from ml_assets.core.profiling.target_leakage import Power, is_suspected

# The odds below which a single value on a whole day is no chance.
NO_CHANCE = 1e-6
MOST_NAMED, MOST_LINES = 3, 10


def evaluate_infinities(check: str, day: date, profiles: Mapping[str, Profile], settings: Check) -> CheckOutcome:
    """Whether no feature has an infinite value."""
    found = [(name, profile.infinite) for name, profile in profiles.items() if profile.infinite]
    lines = [
        {"feature": name, "infinite": count, "rows": profiles[name].rows}
        for name, count in sorted(found, key=lambda one: -one[1])
    ]
    said = [f"{line['feature']} is infinite in {line['infinite']:,} of {line['rows']:,} rows" for line in lines]
    return _outcome(check, day, said, lines, f"{len(profiles)} features are finite", settings)


def evaluate_missing(
    check: str, day: date, profiles: Mapping[str, Profile], complete: Mapping[str, date], settings: MissingShareCheck
) -> CheckOutcome:
    """Whether no feature is missing in too many rows; `complete`: the first day, by feature, on which all that it sees
    is there.
    """
    judged = {name: profile.missing / profile.rows for name, profile in profiles.items() if complete[name] <= day}
    if not judged:
        return CheckOutcome(
            check, day, None, "the windows of all features reach before the beginning of the source", settings.severity
        )
    found = sorted(
        ((name, share) for name, share in judged.items() if share > settings.maximum), key=lambda one: -one[1]
    )
    lines = [{"feature": name, "missing_share": share, "maximum": settings.maximum} for name, share in found]
    said = [f"{name} is missing in {share:.2%} of the rows, more than {settings.maximum:.2%}" for name, share in found]
    largest = max(judged, key=lambda name: judged[name])
    return _outcome(
        check, day, said, lines, f"no more than {judged[largest]:.2%} of any feature are missing ({largest})", settings
    )


def evaluate_constant(
    check: str, day: date, profiles: Mapping[str, Profile], references: Mapping[str, Sequence[Profile]], settings: Check
) -> CheckOutcome:
    """Whether no feature has a single value where that cannot be chance.

    With a value that a share p of the rows has in the reference, the odds that all of n rows have it are p**n: below
    one in a million, no chance.

    Args:
        check: name of the check.
        day: the day.
        profiles: the day's, by feature.
        references: profiles of the days that each feature is compared with; features without any are not judged.
        settings: of the check.
    """
    lines, judged = [], 0
    for name, before in references.items():
        profile = profiles[name]
        if not before or not profile.present:
            continue
        judged += 1
        if profile.distinct > 1:
            continue
        merged = merge(before)
        shares = merged.values.values() if merged.kind == TEXT else merged.histogram.weights
        most_common = min(float(max(shares, default=1.0)), 1.0)
        if most_common**profile.present < NO_CHANCE:
            value = next(iter(profile.values)) if profile.kind == TEXT else profile.minimum
            lines.append(
                {
                    "feature": name,
                    "value": value,
                    "rows": profile.present,
                    "most_common_share_before": round(most_common, 4),
                }
            )
    if not judged:
        return CheckOutcome(check, day, None, "there are no days to compare with", settings.severity)
    said = [
        f"{line['feature']} is {line['value']} in all {line['rows']:,} rows; before, no value was in more than {line['most_common_share_before']:.1%}"
        for line in lines
    ]
    return _outcome(check, day, said, lines, f"{judged} features vary as before", settings)


def evaluate_target_leakage(
    check: str, day: date, powers: Mapping[str, Power], settings: TargetLeakageCheck
) -> CheckOutcome:
    """Whether no feature alone tells the label; `powers`: by feature, as they were measured when the day was made."""
    enough = {
        name: power for name, power in powers.items() if min(power.positives, power.negatives) >= settings.min_positives
    }
    if not enough:
        return CheckOutcome(
            check,
            day,
            None,
            f"one of the two classes has fewer than {settings.min_positives} labelled rows",
            settings.severity,
        )
    ranked = sorted(enough, key=lambda name: (-(enough[name].average_precision or 0.0), name))
    lines = [
        {"feature": name, "roc_auc": enough[name].roc_auc, "average_precision": enough[name].average_precision}
        for name in ranked
    ]
    said = [
        f"{line['feature']} alone has ROC AUC {line['roc_auc']:.4f} and average precision {line['average_precision']:.4f}"
        for line in lines
        if is_suspected(enough[str(line["feature"])], settings)
    ]
    best = f"{ranked[0]} tells the label best, with average precision {enough[ranked[0]].average_precision:.4f}"
    return _outcome(check, day, said, lines[:MOST_LINES], best, settings)


def _outcome(
    check: str, day: date, said: Sequence[str], lines: Sequence[Mapping[str, object]], otherwise: str, settings: Check
) -> CheckOutcome:
    more = f" and {len(said) - MOST_NAMED} more" if len(said) > MOST_NAMED else ""
    return CheckOutcome(
        check, day, not said, "; ".join(said[:MOST_NAMED]) + more if said else otherwise, settings.severity, lines
    )
