"""Drift against the same weekday of the reference, beyond the usual differences between reference days."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from ml_assets.core.model_spec.checks.drift_checks import DriftBounds
from ml_assets.core.profiling.drift import ColumnDrift, Measure, column_drift
from ml_assets.core.profiling.profiles import Profile
from ml_assets.core.profiling.reference_outliers import exclude_outlier_days
from ml_assets.core.profiling.reference_profile import merge_profiles

MIN_SAME_WEEKDAY = 2
USUAL_FACTOR = 2.0
"""Factor by which a drifted day exceeds the largest difference between a reference day and the others."""


def seasonal_drift(
    profile: Profile, day: date, reference: Mapping[date, Profile], bounds: DriftBounds, limit: float
) -> ColumnDrift:
    """Compare a column with the same weekday of the reference, and with the differences between reference days.

    A measure is exceeded if it exceeds its bound and the allowance for chance against the days of the same weekday (all
    days if fewer than two days of that weekday are similar), and is more than twice as large as for any reference day
    against the others of its weekday. So neither a weekly season nor days that always differ count as drift. Outlier
    days are excluded, unless most days differ from each other: then all days are used, regardless of the weekday.

    Args:
        profile: the column on the day.
        day: the day.
        reference: profiles of the reference days, all of the same kind as `profile`.
        bounds: the bounds of the specification.
        limit: maximum distance of similar days.
    """
    alike = select_alike(reference, limit)
    days = alike or reference
    same = _days_of(day.weekday(), reference, limit) if alike else {}
    drift = column_drift(profile, merge_profiles(list((same or days).values())), bounds)
    if not drift.exceeded:
        return drift
    groups = [_days_of(weekday, reference, limit) for weekday in range(7)] if alike else []
    usual: dict[str, float] = {}
    for reference_profile, others in _leave_one_out(groups, days):
        for measure in column_drift(reference_profile, merge_profiles(others), bounds).measures:
            usual[measure.name] = max(usual.get(measure.name, 0.0), measure.value)
    measures = [_raise_allowance(measure, usual.get(measure.name, 0.0)) for measure in drift.measures]
    return replace(drift, measures=measures)


def _raise_allowance(measure: Measure, usual: float) -> Measure:
    return replace(measure, allowed=max(measure.allowed, USUAL_FACTOR * usual), usual=usual)


def _days_of(weekday: int, reference: Mapping[date, Profile], limit: float) -> dict[date, Profile]:
    """Select the days of a weekday without outliers; none if fewer than two remain."""
    days = {day: profile for day, profile in reference.items() if day.weekday() == weekday}
    alike = select_alike(days, limit) if len(days) >= MIN_SAME_WEEKDAY else {}
    return alike if len(alike) >= MIN_SAME_WEEKDAY else {}


def select_alike(days: Mapping[date, Profile], limit: float) -> dict[date, Profile]:
    """Select the days that `exclude_outlier_days` keeps."""
    kept = exclude_outlier_days(list(days.values()), limit)
    return {day: profile for day, profile in days.items() if any(profile is other for other in kept)}


def _leave_one_out(
    groups: Sequence[Mapping[date, Profile]], days: Mapping[date, Profile]
) -> Iterator[tuple[Profile, Sequence[Profile]]]:
    """Yield each day with the other days of its weekday or, if no weekday has three days, with all other days."""
    large = [group for group in groups if len(group) > MIN_SAME_WEEKDAY] or [days]
    for group in large:
        for day, profile in group.items():
            if others := [other for other_day, other in group.items() if other_day != day]:
                yield profile, others
