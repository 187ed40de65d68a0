"""Drift checks: the columns of a day compared with their reference profiles."""

from collections.abc import Mapping, Sequence
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks.drift_checks import DriftBounds
from ml_assets.core.model_spec.types.numbers import format_number
from ml_assets.core.profiling.drift import MEASURES, ColumnDrift
from ml_assets.core.profiling.profiles import TIME, Profile
from ml_assets.core.profiling.seasonal_drift import seasonal_drift

MIN_DAYS, MIN_WEEKDAYS = 5, 2
MAX_LINES = 50


def measure_drift(
    profiles: Mapping[str, Profile],
    references: Mapping[str, Mapping[date, Profile]],
    bounds: DriftBounds,
    day: date | Mapping[str, date],
) -> list[ColumnDrift]:
    """Measure the drift of each column that has enough reference days, largest excess first.

    A column needs 5 reference days, a time column 2 of the same weekday. It is compared with the same weekday, and with
    the usual variation between reference days, see `seasonal_drift`.

    Args:
        profiles: profiles of the day, by column.
        references: profiles of the reference days of each column; columns without an entry are left out.
        bounds: the bounds of the specification.
        day: the day, or the day of each column.
    """
    drifts = []
    for name, by_day in references.items():
        profile = profiles.get(name)
        if profile is None:
            continue
        comparable = {earlier: daily for earlier, daily in by_day.items() if daily.kind == profile.kind}
        if len(comparable) >= (MIN_WEEKDAYS if profile.kind == TIME else MIN_DAYS):
            day_of_column = day if isinstance(day, date) else day[name]
            limit = bounds.distance(profile.kind == TIME)
            drifts.append(seasonal_drift(profile, day_of_column, comparable, bounds, limit))
    return sorted(drifts, key=lambda drift: (not drift.exceeded, -drift.excess, drift.name))


def evaluate_drift(check: str, day: date, drifts: Sequence[ColumnDrift], bounds: DriftBounds) -> CheckOutcome:
    """Evaluate the drift check of a day from the result of `measure_drift`; without columns the day is not
    evaluated."""
    if not drifts:
        return CheckOutcome(check, day, None, f"there are fewer than {MIN_DAYS} days to compare with", bounds.severity)
    drifted = [drift for drift in drifts if drift.exceeded]
    if drifted:
        others = ", ".join(drift.name for drift in drifted[1:6]) + (" and more" if len(drifted) > 6 else "")
        reason = f"{drifted[0].name} drifted: {_describe(drifted[0])}" + (f"; so did {others}" if others else "")
    else:
        reason = f"{len(drifts)} of {len(drifts)} are within their bounds; closest to them: {drifts[0].name}"
    lines = [_detail_line(drift) for drift in drifts[:MAX_LINES]]
    return CheckOutcome(check, day, not drifted, reason, bounds.severity, lines)


def _describe(drift: ColumnDrift) -> str:
    return ", ".join(
        f"{measure.name} {measure.value:.3g} is above {measure.allowed:.3g}, its bound {format_number(measure.bound)}"
        f" plus the allowance for chance; days of the reference differ by up to {measure.usual:.3g}"
        for measure in drift.exceeded
    )


def _detail_line(drift: ColumnDrift) -> dict[str, object]:
    values = {measure.name: round(measure.value, 4) for measure in drift.measures}
    return {
        "column": drift.name,
        "exceeds": ", ".join(measure.name for measure in drift.exceeded),
        **{name: values.get(name) for name in MEASURES},
        "ks_p_value": drift.p_values.get("ks"),
        "chi_square_p_value": drift.p_values.get("cramers_v"),
    }
