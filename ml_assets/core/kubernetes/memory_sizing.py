"""Memory of a step by the size of its input."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.compute import MemoryRule

UNITS = {"Mi": 2**20, "Gi": 2**30}
PROCESS = 512 * UNITS["Mi"]
"""Memory that a step takes without the days of a chunk."""


def to_bytes(memory: str) -> int:
    """Convert an amount such as 512Mi or 4Gi to bytes."""
    return int(memory[:-2]) * UNITS[memory[-2:]]


def chunk_memory(spec: ModelSpec) -> int:
    """Return the memory budget, in bytes, of a chunk of days: `backfill.memory`, but at most what the memory of the
    step (the base of a rule) leaves after the process itself.
    """
    memory = spec.compute.data.memory
    of_step = to_bytes(memory.base if isinstance(memory, MemoryRule) else memory)
    return max(min(to_bytes(spec.backfill.memory), of_step - PROCESS), 0)


def memory_for(rule: MemoryRule, input_bytes: int) -> str:
    """Compute the memory of a step that reads `input_bytes`, in Mi and rounded up; at most the maximum of the rule."""
    memory = to_bytes(rule.base) + rule.per_input_byte * input_bytes
    return f"{min(math.ceil(memory / UNITS['Mi']), to_bytes(rule.maximum) // UNITS['Mi'])}Mi"


def largest_day(sizes: Sequence[tuple[Mapping[date, int], int, int]], days: Sequence[date]) -> int:
    """Return the size of the input of the largest day of a run, in bytes.

    A step holds a single day with the days that it reads for it, or as many days as fit into `chunk_memory`.

    Args:
        sizes: for each table that is read, the bytes of its days, and the first and last day that are read, relative to
            the day that is computed (-30, 0).
        days: the days of the run.
    """
    return max(
        (sum(_bytes_between(table, day, first, last) for table, first, last in sizes) for day in days), default=0
    )


def _bytes_between(table: Mapping[date, int], day: date, first: int, last: int) -> int:
    begin, end = day + timedelta(days=first), day + timedelta(days=last)
    return sum(size for other, size in table.items() if begin <= other <= end)
