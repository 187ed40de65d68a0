"""Volume checks: the row count against the same weekday of earlier weeks, and earlier days without rows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from statistics import median

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.counts import count
from ml_assets.core.model_spec.checks.data_checks import GapsCheck, RowCountCheck

ROW_COUNT, NO_GAPS = "row_count", "no_gaps"
MIN_SAME_WEEKDAY, MIN_DAYS = 2, 3
# The standard deviation of a Poisson distribution is the square root of its mean. Fewer than one day in 10,000 lies
# beyond four of them.
STANDARD_DEVIATIONS = 4


def evaluate_row_count(settings: RowCountCheck, counts: Mapping[date, int], day: date) -> CheckOutcome:
    """Check that a day has about as many rows as the same weekday of earlier weeks.

    The count is compared with the median m of the same weekday. It passes between m * (1 - tolerance) and m / (1 -
    tolerance). A difference that chance explains also passes: up to 4 * sqrt(m), as for a Poisson distribution. With
    fewer than two such days, or two that differ so much that one may be a holiday, the count is compared with all days
    of these weeks. It then also passes if it fits the same weekday, such as the second Sunday of a feed that has fewer
    rows on Sundays. A day without accepted rows is not evaluated, and neither is a day with fewer than three earlier
    days.

    Args:
        settings: tolerance and number of weeks.
        counts: accepted rows by day, for days that have any.
        day: the day.
    """

    def outcome(passed: bool | None, reason: str) -> CheckOutcome:
        return CheckOutcome(ROW_COUNT, day, passed, reason, settings.severity)

    rows = counts.get(day, 0)
    if not rows:
        return outcome(None, "the day has no accepted rows")
    earlier = [day - timedelta(days=back) for back in range(7 * settings.weeks, 0, -1)]
    with_rows = [other for other in earlier if counts.get(other)]
    same_weekday = [other for other in with_rows if other.weekday() == day.weekday()]
    references = [(same_weekday, f"{day:%A}{'' if len(same_weekday) == 1 else 's'}")] if same_weekday else []
    if len(same_weekday) < MIN_SAME_WEEKDAY or not _agree(settings, counts, same_weekday):
        if len(with_rows) < MIN_DAYS:
            have = f"{len(with_rows)} of the {len(earlier)} days before have accepted rows"
            return outcome(None, f"{have}; {MIN_DAYS} are needed for a comparison")
        references = [(with_rows, "days"), *references]
    compared = [_compare_count(settings, counts, rows, *reference) for reference in references]
    return outcome(*next((result for result in compared if result[0]), compared[0]))


def _agree(settings: RowCountCheck, counts: Mapping[date, int], same_weekday: Sequence[date]) -> bool:
    """Return whether a single outlier cannot distort the reference: there are three or more days, or two similar
    ones."""
    if len(same_weekday) > MIN_SAME_WEEKDAY:
        return True
    smallest, largest = sorted(counts[other] for other in same_weekday)
    return smallest >= _bounds(settings, largest)[0]


def _compare_count(
    settings: RowCountCheck, counts: Mapping[date, int], rows: int, reference: Sequence[date], kind: str
) -> tuple[bool, str]:
    """Return whether a count is about the median of earlier days, and the reason."""
    expected = median(counts[other] for other in reference)
    low, high = _bounds(settings, expected)
    compared = f"the median of the {len(reference)} {kind} from {reference[0]} to {reference[-1]} is {expected:,.0f}"
    if len(reference) == 1:
        compared = f"the {kind} before, {reference[0]}, has {expected:,.0f}"
    bounds = f"a count from {low:,.0f} to {high:,.0f} passes"
    reason = f"{count(rows, 'row')} ({rows / expected:.0%} of what is expected); {compared}; {bounds}"
    return low <= rows <= high, reason


def _bounds(settings: RowCountCheck, expected: float) -> tuple[float, float]:
    """Return the smallest and the largest count that pass if `expected` rows are expected."""
    chance = STANDARD_DEVIATIONS * expected**0.5
    low = min(expected * (1 - settings.tolerance), expected - chance)
    return max(low, 0), max(expected / (1 - settings.tolerance), expected + chance)


def evaluate_gaps(
    settings: GapsCheck, counts: Mapping[date, int], day: date, start: date, accepted: Collection[date] = ()
) -> CheckOutcome:
    """Check that every day within `look_back` before `day` has accepted rows.

    Days before `start` or before the first day with rows are not gaps, nor are days that are accepted without rows.

    Args:
        settings: settings of the check, with the look-back.
        counts: accepted rows by day, for days that have any.
        day: the day; its own rows are not considered.
        start: the first day of the source.
        accepted: days that are accepted without rows.
    """
    begin = max(day - settings.look_back, start, min(counts, default=day))
    earlier = [begin + timedelta(days=n) for n in range((day - begin).days)]
    if not earlier:
        return CheckOutcome(NO_GAPS, day, None, "no day before has accepted rows", settings.severity)
    gaps = [other for other in earlier if not counts.get(other) and other not in accepted]
    span = f"the {count(len(earlier), 'day')} from {earlier[0]} to {earlier[-1]}"
    if not gaps:
        return CheckOutcome(NO_GAPS, day, True, f"each of {span} has accepted rows", settings.severity)
    description = (
        f"have no accepted rows, the first {gaps[0]}, the last {gaps[-1]}"
        if len(gaps) > 1
        else f"has no accepted rows: {gaps[0]}"
    )
    lines = [{"day_without_rows": str(gap)} for gap in gaps]
    return CheckOutcome(NO_GAPS, day, False, f"{len(gaps)} of {span} {description}", settings.severity, lines)
