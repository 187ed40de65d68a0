"""Chunks: runs of consecutive days that a stage makes together, as many as fit into a budget of memory."""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from ml_assets.pipeline.engine.commit_conflicts import TableSnapshot
from ml_assets.pipeline.engine.day_computation import (
    DueDay,
    check_day,
    make_unless_current,
    pending_day,
)
from ml_assets.pipeline.engine.pending_commit import PendingDay
from ml_assets.pipeline.engine.run_guard import RunEnded, RunGuard
from ml_assets.pipeline.engine.stage import CannotMake, DayOutcome, Stage

DAY = timedelta(days=1)
# What a chunk shares costs little more per day when it has more days than this.
MOST_DAYS = 64
log = logging.getLogger("ml_assets.days")
DayResult = DayOutcome | PendingDay | CannotMake | RunEnded


def results_by_day(
    snapshot: TableSnapshot,
    days: Sequence[date],
    single_partition: bool,
    memory: int,
    guard: RunGuard | None = None,
) -> Iterator[DayResult]:
    """Make the days that are not current, chunk by chunk, and yield the result of each day.

    Args:
        snapshot: the stage, and the state of its tables. When it is refreshed between two results, the rest of a chunk
            is made from the newest inputs.
        days: the days, in any order.
        single_partition: True if the run is for one partition alone.
        memory: bytes that the days of a chunk may take together; a day that takes more is a chunk of its own.
        guard: asked for the time left before each day but the first.

    Yields:
        The outcome of a day that stays as it is, the day made, or why it cannot be made; `RunEnded`, as the last one,
        when the time of the step is over.
    """
    stage, first = snapshot.stage, min(days, default=None)
    chunk: list[DueDay] = []
    for day in sorted(days):
        if guard and not chunk and day != first and (time_is_over := guard.time_limit_error()):
            yield time_is_over
            return
        try:
            result = check_day(stage, day, single_partition)
        except CannotMake as error:
            yield error
            continue
        if isinstance(result, DayOutcome):
            yield result
            continue
        if chunk and not _has_room(stage, [due.day for due in chunk], day, memory):
            yield from _make_chunk(snapshot, chunk, single_partition, guard)
            chunk = []
        chunk.append(result)
        if stage.memory([day]) is None:
            # The inputs of the next day may depend on this one.
            yield from _make_chunk(snapshot, chunk, single_partition, guard)
            chunk = []
    if chunk:
        yield from _make_chunk(snapshot, chunk, single_partition, guard)


def _has_room(stage: Stage, chunk: list[date], day: date, memory: int) -> bool:
    """Return whether a day can be made together with those of a chunk."""
    needed = stage.memory([*chunk, day])
    return needed is not None and needed <= memory and len(chunk) < MOST_DAYS and chunk[-1] + DAY == day


def _make_chunk(
    snapshot: TableSnapshot, chunk: Sequence[DueDay], single_partition: bool, guard: RunGuard | None
) -> Iterator[DayResult]:
    results = _make_together(snapshot, chunk, single_partition) if len(chunk) > 1 else iter(())
    made = 0
    for result in results:
        made += 1
        yield result
        if guard and made < len(chunk) and (time_is_over := guard.time_limit_error()):
            yield time_is_over
            return
    for due in chunk[made:]:
        try:
            checked = due if len(chunk) == 1 else None
            yield make_unless_current(snapshot.stage, due.day, single_partition, checked=checked)
        except CannotMake as error:
            yield error
        if guard and due is not chunk[-1] and (time_is_over := guard.time_limit_error()):
            yield time_is_over
            return


def _make_together(snapshot: TableSnapshot, chunk: Sequence[DueDay], single_partition: bool) -> Iterator[PendingDay]:
    """Make days together, up to the first for which that fails; the time that they share is divided among them."""
    stage, refreshes, begun = snapshot.stage, snapshot.refreshes, time.perf_counter()
    try:
        outputs = stage.make([due.day for due in chunk], single_partition)
        shared = (time.perf_counter() - begun) / len(chunk)
        for due in chunk:
            begun = time.perf_counter()
            output = next(outputs)
            yield pending_day(stage, due, output, shared + time.perf_counter() - begun, single_partition)
            if snapshot.refreshes != refreshes:
                return
    except Exception as error:
        # Made by itself, the day at fault says what is wrong with it, and the others are kept.
        log.warning("%s: %d days cannot be made together (%s); making one by one", stage.name, len(chunk), error)
