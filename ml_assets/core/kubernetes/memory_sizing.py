"""Memory of a step by the size of what it reads."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from ml_assets.core.model_spec.compute import MemoryRule

UNITS = {"Mi": 2**20, "Gi": 2**30}


def bytes_of(memory: str) -> int:
    """Bytes of an amount such as 512Mi or 4Gi."""
    return int(memory[:-2]) * UNITS[memory[-2:]]


def memory_for(rule: MemoryRule, input_bytes: int) -> str:
    """The amount in Mi, rounded up, that a rule gives for a step that reads `input_bytes`; never more than its
    maximum.
    """
    wanted = bytes_of(rule.base) + rule.per_input_byte * input_bytes
    return f"{min(math.ceil(wanted / UNITS['Mi']), bytes_of(rule.maximum) // UNITS['Mi'])}Mi"


def largest_day(sizes: Sequence[tuple[Mapping[date, int], int, int]], days: Sequence[date]) -> int:
    """The most bytes that one of the days of a run is made from: a step holds one day with what it sees at a time.

    Args:
        sizes: of each table that is read, the bytes of its days, and the first and last day that are read, in days from
            the own day (-30, 0).
        days: the days of the run.
    """
    return max((sum(_between(of, day, first, last) for of, first, last in sizes) for day in days), default=0)


def _between(of: Mapping[date, int], day: date, first: int, last: int) -> int:
    begin, end = day + timedelta(days=first), day + timedelta(days=last)
    return sum(size for other, size in of.items() if begin <= other <= end)
