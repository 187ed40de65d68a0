"""Rows of a day against the same weekday of the weeks before, and days without rows among the days before."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from statistics import median

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import GapsCheck, RowCountCheck

ROW_COUNT, NO_GAPS = "row_count", "no_gaps"
FEWEST_SAME_WEEKDAY, FEWEST_DAYS = 2, 3
# Of a Poisson distribution, whose standard deviation is the root of its mean: beyond four of them lies less than one
# day in 10,000.
STANDARD_DEVIATIONS = 4


def evaluate_row_count(settings: RowCountCheck, counts: Mapping[date, int], day: date) -> CheckOutcome:
    """Whether a day has about as many rows as the same weekday had in the weeks before.

    The count is compared with the median m of the same weekday; with fewer than two such days, of all days of these
    weeks. It may lie between m * (1 - tolerance) and m / (1 - tolerance), and no further from m than chance explains is
    never a failure: 4 * sqrt(m), as for a Poisson distribution. A day without accepted rows is not judged, and neither
    is one with fewer than three days before it.

    Args:
        settings: how far the count may be off.
        counts: accepted rows by day, of the days that have any.
        day: the day that is judged.
    """

    def outcome(passed: bool | None, reason: str) -> CheckOutcome:
        return CheckOutcome(ROW_COUNT, day, passed, reason, settings.severity)

    count = counts.get(day, 0)
    if not count:
        return outcome(None, "the day has no accepted rows")
    before = [day - timedelta(days=back) for back in range(7 * settings.weeks, 0, -1)]
    reference, which = [one for one in before if one.weekday() == day.weekday() and counts.get(one)], f"{day:%A}s"
    if len(reference) < FEWEST_SAME_WEEKDAY:
        reference, which = [one for one in before if counts.get(one)], "days"
        if len(reference) < FEWEST_DAYS:
            return outcome(
                None,
                f"{len(reference)} of the {len(before)} days before have accepted rows; {FEWEST_DAYS} are needed to judge by",
            )
    expected = median(counts[one] for one in reference)
    chance = STANDARD_DEVIATIONS * expected**0.5
    low, high = (
        min(expected * (1 - settings.tolerance), expected - chance),
        max(expected / (1 - settings.tolerance), expected + chance),
    )
    said = f"the median of the {len(reference)} {which} from {reference[0]} to {reference[-1]} is {expected:,.0f}"
    bounds = f"a count from {max(low, 0):,.0f} to {high:,.0f} passes"
    return outcome(
        low <= count <= high, f"{count:,} rows ({count / expected:.0%} of what is expected); {said}; {bounds}"
    )


def evaluate_gaps(
    settings: GapsCheck, counts: Mapping[date, int], day: date, start: date, accepted: Collection[date] = ()
) -> CheckOutcome:
    """Whether every day of the look-back before `day` has accepted rows.

    Days before `start`, and before the first day that ever had rows, are no gaps, nor are days that somebody looked at
    and accepts without rows.

    Args:
        settings: how far back days are looked at.
        counts: accepted rows by day, of the days that have any.
        day: the day that is judged; whether it has rows itself makes no difference.
        start: the first day of the source.
        accepted: days that are right without rows.
    """
    begin = max(day - settings.look_back, start, min(counts, default=day))
    before = [begin + timedelta(days=n) for n in range((day - begin).days)]
    if not before:
        return CheckOutcome(NO_GAPS, day, None, "no day before has accepted rows", settings.severity)
    gaps = [one for one in before if not counts.get(one) and one not in accepted]
    span = f"the {len(before)} days from {before[0]} to {before[-1]}"
    if not gaps:
        return CheckOutcome(NO_GAPS, day, True, f"each of {span} has accepted rows", settings.severity)
    named = (
        f"have no accepted rows, the first {gaps[0]}, the last {gaps[-1]}"
        if len(gaps) > 1
        else f"has no accepted rows: {gaps[0]}"
    )
    reason = f"{len(gaps)} of {span} {named}"
    return CheckOutcome(
        NO_GAPS, day, False, reason, settings.severity, [{"day_without_rows": str(one)} for one in gaps]
    )
