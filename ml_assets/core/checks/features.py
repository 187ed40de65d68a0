"""Feature checks: infinite, missing and constant features, and target leakage."""

from collections.abc import Mapping, Sequence
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks.check import Check
from ml_assets.core.model_spec.checks.model_checks import MissingShareCheck, TargetLeakageCheck
from ml_assets.core.profiling.profiles import TEXT, Profile
from ml_assets.core.profiling.reference_profile import merge_profiles
from ml_assets.core.profiling.target_leakage import MIN_ROWS, PredictivePower, is_suspected

# Below this probability, a constant value over a whole day is not attributed to chance.
SIGNIFICANCE = 1e-6
CONSTANT_DAYS = 2
"""Number of constant reference days from which a constant feature is accepted."""
MAX_NAMED, MAX_LINES = 3, 10


def evaluate_infinities(check: str, day: date, profiles: Mapping[str, Profile], settings: Check) -> CheckOutcome:
    """Check that no feature has an infinite value."""
    counts = {name: profile.infinite for name, profile in profiles.items() if profile.infinite}
    lines = [
        {"feature": name, "infinite": count, "rows": profiles[name].rows}
        for name, count in sorted(counts.items(), key=lambda item: -item[1])
    ]
    problems = [f"{line['feature']} is infinite in {line['infinite']:,} of {line['rows']:,} rows" for line in lines]
    return _outcome(check, day, problems, lines, f"{len(profiles)} features are finite", settings)


def evaluate_missing(
    check: str,
    day: date,
    profiles: Mapping[str, Profile],
    complete_from: Mapping[str, date],
    settings: MissingShareCheck,
) -> CheckOutcome:
    """Check that no feature is missing in too many rows.

    Args:
        check: name of the check.
        day: the day.
        profiles: profiles of the day, by feature.
        complete_from: by feature, the first day whose windows lie within the source; earlier days are not evaluated.
        settings: settings of the check.
    """
    shares = {name: profile.missing / profile.rows for name, profile in profiles.items() if complete_from[name] <= day}
    if not shares:
        return CheckOutcome(
            check, day, None, "the windows of all features begin before the start of the source", settings.severity
        )
    too_large = sorted(
        ((name, share) for name, share in shares.items() if share > settings.maximum), key=lambda item: -item[1]
    )
    lines = [{"feature": name, "missing_share": share, "maximum": settings.maximum} for name, share in too_large]
    problems = [
        f"{name} is missing in {share:.2%} of the rows, more than {settings.maximum:.2%}" for name, share in too_large
    ]
    largest = max(shares, key=lambda name: shares[name])
    passed = f"every feature is missing in at most {shares[largest]:.2%} of the rows ({largest})"
    return _outcome(check, day, problems, lines, passed, settings)


def evaluate_constant(
    check: str, day: date, profiles: Mapping[str, Profile], references: Mapping[str, Sequence[Profile]], settings: Check
) -> CheckOutcome:
    """Check that no feature is constant, unless chance explains it.

    If a share p of the reference rows has a value, all of n rows have it with probability p**n. Below one in a million
    the check fails. A feature that was constant on two or more of the reference days passes, because its rows within a
    day depend on each other, like those of rain or holidays.

    Args:
        check: name of the check.
        day: the day.
        profiles: profiles of the day, by feature.
        references: profiles of the reference days of each feature; features without any are not evaluated.
        settings: settings of the check.
    """
    lines, evaluated = [], 0
    for name, reference_profiles in references.items():
        profile = profiles[name]
        if not reference_profiles or not profile.present:
            continue
        evaluated += 1
        constant_days = sum(1 for earlier in reference_profiles if earlier.present and earlier.distinct == 1)
        if profile.distinct > 1 or constant_days >= CONSTANT_DAYS:
            continue
        reference = merge_profiles(reference_profiles)
        shares = reference.values.values() if reference.kind == TEXT else reference.histogram.weights
        most_common = min(float(max(shares, default=1.0)), 1.0)
        if most_common**profile.present < SIGNIFICANCE:
            value = next(iter(profile.values)) if profile.kind == TEXT else profile.minimum
            lines.append(
                {
                    "feature": name,
                    "value": value,
                    "rows": profile.present,
                    "most_common_share_before": round(most_common, 4),
                }
            )
    if not evaluated:
        return CheckOutcome(check, day, None, "there are no days to compare with", settings.severity)
    problems = [
        f"{line['feature']} is {line['value']} in all {line['rows']:,} rows; on the reference days,"
        f" no value was in more than {line['most_common_share_before']:.1%}"
        for line in lines
    ]
    return _outcome(check, day, problems, lines, f"{evaluated} features vary as before", settings)


def evaluate_target_leakage(
    check: str, day: date, powers: Mapping[str, PredictivePower], settings: TargetLeakageCheck
) -> CheckOutcome:
    """Check that no single feature predicts the label nearly perfectly.

    Args:
        check: name of the check.
        day: the day.
        powers: predictive power by feature, as measured when the features of the day were built.
        settings: settings of the check.
    """
    enough = {name: power for name, power in powers.items() if power.has_rows(settings)}
    if not enough:
        is_regression = any(power.compared_rows is not None for power in powers.values())
        few = f"one of the two classes has fewer than {settings.min_positives} labelled rows"
        reason = f"no feature has {MIN_ROWS} values with a target" if is_regression else few
        return CheckOutcome(check, day, None, reason, settings.severity)
    ranked = sorted(enough, key=lambda name: (-enough[name].strength, name))
    lines = [{"feature": name, **_power_figures(enough[name])} for name in ranked]
    problems = [
        f"{name} alone has {_describe_power(enough[name])}" for name in ranked if is_suspected(enough[name], settings)
    ]
    strongest = enough[ranked[0]]
    best = f"{ranked[0]} predicts the label best, with average precision {strongest.strength:.4f}"
    if strongest.of_class is not None:
        best += f" for the class {strongest.of_class}"
    if strongest.compared_rows is not None:
        best = f"{ranked[0]} predicts the target best, with rank correlation {strongest.rank_correlation or 0:.4f}"
    return _outcome(check, day, problems, lines[:MAX_LINES], best, settings)


def _power_figures(power: PredictivePower) -> dict[str, object]:
    if power.compared_rows is not None:
        return {"rank_correlation": power.rank_correlation}
    of_class = {} if power.of_class is None else {"class": power.of_class}
    return {"roc_auc": power.roc_auc, "average_precision": power.average_precision, **of_class}


def _describe_power(power: PredictivePower) -> str:
    if power.compared_rows is not None:
        return f"rank correlation {power.rank_correlation:.4f} with the target"
    of_class = "" if power.of_class is None else f" for the class {power.of_class}"
    return f"ROC AUC {power.roc_auc:.4f} and average precision {power.average_precision:.4f}{of_class}"


def _outcome(
    check: str, day: date, problems: Sequence[str], lines: Sequence[Mapping[str, object]], passed: str, settings: Check
) -> CheckOutcome:
    more = f" and {len(problems) - MAX_NAMED} more" if len(problems) > MAX_NAMED else ""
    reason = "; ".join(problems[:MAX_NAMED]) + more if problems else passed
    return CheckOutcome(check, day, not problems, reason, settings.severity, lines)
