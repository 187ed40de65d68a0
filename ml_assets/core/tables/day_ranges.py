"""Ranges of days: as somebody writes them, as runs cut them, and as a report shows them."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

RANGE = "..."
Label = TypeVar("Label", bound=Hashable)


@dataclass(frozen=True)
class Neighbours(Generic[Label]):
    """Days that follow each other and share a label; ascending."""

    days: list[date]
    label: Label


def parse_days(text: str) -> tuple[date, date]:
    """First and last day of `2026-08-15...2026-09-01`, or of a single day `2026-08-20`.

    Raises:
        ValueError: when it is neither, or the first day lies after the last.
    """
    first, _, last = text.partition(RANGE)
    try:
        found = date.fromisoformat(first), date.fromisoformat(last if RANGE in text else first)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a day such as 2026-08-20 nor a range such as 2026-08-15...2026-09-01"
        ) from None
    if found[0] > found[1]:
        raise ValueError(f"{text!r}: the first day lies after the last")
    return found


def days_between(first: date, last: date) -> list[date]:
    """The days from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def chunks(days: Sequence[date], most: int | None) -> list[list[date]]:
    """Days that follow each other, cut as Dagster cuts the days of a backfill into runs: `most` to a run from the first
    on; None is no bound.
    """
    size = most or max(len(days), 1)
    return [list(days[position : position + size]) for position in range(0, len(days), size)]


def neighbours(days: Iterable[tuple[date, Label]]) -> list[Neighbours[Label]]:
    """Days, ascending, with their labels, as few groups as possible of days that follow each other with the same
    label.
    """
    groups: list[Neighbours[Label]] = []
    for day, label in days:
        if groups and groups[-1].label == label and day - groups[-1].days[-1] == timedelta(days=1):
            groups[-1].days.append(day)
        else:
            groups.append(Neighbours([day], label))
    return groups
