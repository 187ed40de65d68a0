"""What drift says of a day: every column against its reference, the worst one named."""

from collections.abc import Mapping, Sequence
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import DriftBounds
from ml_assets.core.profiling.drift import ColumnDrift, column_drift
from ml_assets.core.profiling.profiles import TIME, Profile
from ml_assets.core.profiling.reference_outliers import exclude_outlier_days
from ml_assets.core.profiling.reference_profile import merge

LEAST_DAYS, LEAST_WEEKDAYS = 5, 2
MOST_LINES = 50


def drifts_of(
    profiles: Mapping[str, Profile], references: Mapping[str, Sequence[Profile]], bounds: DriftBounds
) -> list[ColumnDrift]:
    """The drift of each column that has enough days to be compared with: 5, or 2 of the same weekday for a time. What
    exceeds most comes first.

    A column that is beyond a bound is compared once more with those days only that are alike among themselves, and that
    counts; where fewer than half are, the column is not judged.

    Args:
        profiles: the day's, by column.
        references: profiles of the days that each column is compared with; columns that are not named are not judged.
        bounds: what is allowed.
    """
    found = []
    for name, of_days in references.items():
        profile = profiles.get(name)
        if profile is None:
            continue
        alike = [one for one in of_days if one.kind == profile.kind]
        if len(alike) >= (LEAST_WEEKDAYS if profile.kind == TIME else LEAST_DAYS):
            drift = column_drift(profile, merge(alike), bounds)
            if drift.exceeded:
                alike = exclude_outlier_days(alike, bounds.distance(profile.kind == TIME))
                drift = column_drift(profile, merge(alike), bounds) if alike else None
            found += [drift] if drift else []
    return sorted(found, key=lambda one: (not one.exceeded, -one.excess, one.name))


def evaluate_drift(check: str, day: date, drifts: Sequence[ColumnDrift], bounds: DriftBounds) -> CheckOutcome:
    """The finding of a day from what `drifts_of` gives; not judged without any column."""
    if not drifts:
        return CheckOutcome(
            check, day, None, f"there are fewer than {LEAST_DAYS} days to compare with", bounds.severity
        )
    drifted = [one for one in drifts if one.exceeded]
    if drifted:
        more = (
            f"; so did {', '.join(one.name for one in drifted[1:6])}" + (" and more" if len(drifted) > 6 else "")
            if len(drifted) > 1
            else ""
        )
        reason = f"{drifted[0].name} drifted: {_figures(drifted[0])}{more}"
    else:
        reason = f"{len(drifts)} compared and none beyond its bounds; {drifts[0].name} is nearest to them"
    return CheckOutcome(check, day, not drifted, reason, bounds.severity, [_line(one) for one in drifts[:MOST_LINES]])


def _figures(drift: ColumnDrift) -> str:
    return ", ".join(
        f"{one.name} {one.value:.3g} is above {one.bound:g} and what chance adds ({one.allowed:.3g})"
        for one in drift.exceeded
    )


def _line(drift: ColumnDrift) -> dict[str, object]:
    figures = {one.name: round(one.value, 4) for one in drift.measures}
    names = ("psi", "ks", "cramers_v", "missing", "distinct", "broken_text", "non_ascii")
    return {
        "column": drift.name,
        "exceeds": ", ".join(one.name for one in drift.exceeded),
        **{name: figures.get(name) for name in names},
        "ks_p_value": drift.p_values.get("ks"),
        "chi_square_p_value": drift.p_values.get("cramers_v"),
    }
