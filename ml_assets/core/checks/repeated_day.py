"""The check `no_repeated_day`: the rows of an earlier day that landed again under the date of another day."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.counts import count
from ml_assets.core.model_spec.checks.check import Severity

if TYPE_CHECKING:
    from ml_assets.core.profiling.profiles import Profile

NO_REPEATED_DAY = "no_repeated_day"
LOOK_BACK = 28
# With fewer distinct values, two different days may have the same profiles by chance.
MIN_DISTINCT = 10


def evaluate_repeated_day(
    day: date, profiles: "Mapping[date, Mapping[str, Profile]]", ignored: Collection[str], severity: Severity
) -> CheckOutcome:
    """Check that the profiles of a day differ from those of each of the 28 days before.

    A day is not evaluated without rows, without earlier days to compare it with, or if no column has ten distinct
    values.

    Args:
        day: the day.
        profiles: profiles by day and column; days without rows have none.
        ignored: columns that are not compared, because they may change when rows land again under another date: times,
            and the row key.
        severity: severity of a failure.
    """

    def outcome(passed: bool | None, reason: str, lines: Collection[Mapping[str, object]] = ()) -> CheckOutcome:
        return CheckOutcome(NO_REPEATED_DAY, day, passed, reason, severity, list(lines))

    if day not in profiles:
        return outcome(None, "the day has no accepted rows")
    compared = [name for name in profiles[day] if name not in ignored]
    if max((profiles[day][name].distinct for name in compared), default=0) < MIN_DISTINCT:
        return outcome(None, f"no compared column has {MIN_DISTINCT} distinct values, so days may be alike by chance")
    earlier = [other for back in range(1, LOOK_BACK + 1) if (other := day - timedelta(days=back)) in profiles]
    if not earlier:
        return outcome(None, f"none of the {LOOK_BACK} days before has accepted rows")
    repeated = [other for other in earlier if _are_same(profiles[day], profiles[other], compared)]
    if not repeated:
        return outcome(True, f"the day differs from each of {count(len(earlier), 'earlier day')} with accepted rows")
    columns = ", ".join(compared)
    return outcome(
        False,
        f"{columns}: count, mean, extremes and distribution are exactly those of {repeated[0]}, whose rows have "
        "probably landed again under another date",
        [{"repeats": str(other)} for other in repeated],
    )


def _are_same(day: "Mapping[str, Profile]", other: "Mapping[str, Profile]", columns: Collection[str]) -> bool:
    return all(name in other and _is_same(day[name], other[name]) for name in columns)


def _is_same(profile: "Profile", other: "Profile") -> bool:
    """Return whether two profiles are equal in everything; arrays are compared only where all else is equal."""
    histogram, others = profile.histogram, other.histogram
    return (
        replace(profile, histogram=others) == other
        and histogram.bins.tobytes() == others.bins.tobytes()
        and histogram.weights.tobytes() == others.weights.tobytes()
    )
