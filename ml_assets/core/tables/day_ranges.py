"""Ranges of days: their notation, their division into runs, and groups of consecutive days for reports."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

RANGE = "..."
Label = TypeVar("Label", bound=Hashable)


@dataclass(frozen=True)
class DayGroup(Generic[Label]):
    """Consecutive days with the same label, ascending."""

    days: list[date]
    label: Label


def parse_days(text: str) -> tuple[date, date]:
    """Parse first and last day of a range `2026-08-15...2026-09-01`, or a single day `2026-08-20`.

    Raises:
        ValueError: when the text is neither, or the first day is after the last.
    """
    first, _, last = text.partition(RANGE)
    try:
        days = date.fromisoformat(first), date.fromisoformat(last if RANGE in text else first)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a day such as 2026-08-20 nor a range such as 2026-08-15...2026-09-01"
        ) from None
    if days[0] > days[1]:
        raise ValueError(f"{text!r}: the first day lies after the last")
    return days


def days_between(first: date, last: date) -> list[date]:
    """Return the days from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def chunks(days: Sequence[date], most: int | None) -> list[list[date]]:
    """Divide consecutive days into runs as Dagster does for a backfill: at most `most` days per run, from the first day
    on; None for no limit.
    """
    size = most or max(len(days), 1)
    return [list(days[position : position + size]) for position in range(0, len(days), size)]


def group_days(days: Iterable[tuple[date, Label]]) -> list[DayGroup[Label]]:
    """Group ascending, labelled days into the smallest number of groups of consecutive days with the same label."""
    groups: list[DayGroup[Label]] = []
    for day, label in days:
        if groups and groups[-1].label == label and day - groups[-1].days[-1] == timedelta(days=1):
            groups[-1].days.append(day)
        else:
            groups.append(DayGroup([day], label))
    return groups
