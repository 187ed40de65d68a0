"""Chunks of consecutive days that a stage makes together, as many as fit into a memory budget."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta

from ml_assets.pipeline.engine.commit_conflicts import TableSnapshot
from ml_assets.pipeline.engine.day_computation import (
    REASONS_NOT_TO_MAKE,
    DueDay,
    check_day,
    make_unless_current,
    pending_day,
)
from ml_assets.pipeline.engine.pending_commit import PendingDay
from ml_assets.pipeline.engine.remote_chunks import RemoteChunk, make_remotely
from ml_assets.pipeline.engine.run_guard import RunEnded, RunGuard
from ml_assets.pipeline.engine.stage import CannotMake, DayOutcome, InputChanged, Stage

DAY = timedelta(days=1)
# Longer chunks are hardly faster, and take memory in proportion to their days.
MOST_DAYS = 32
log = logging.getLogger("ml_assets.days")
DayResult = DayOutcome | PendingDay | CannotMake | RunEnded


@dataclass(frozen=True)
class ChunkSettings:
    """Settings for computing days together.

    memory: bytes that the days of a chunk may take; a day that takes more is a chunk of its own. processes: how many
    chunks are computed at the same time. open_pool: opens the executor whose processes compute them; None where this
    process computes all.
    """

    memory: int = 2**30
    processes: int = 1
    open_pool: Callable[[], AbstractContextManager[Executor]] | None = None


def results_by_day(
    snapshot: TableSnapshot,
    days: Sequence[date],
    single_partition: bool,
    settings: ChunkSettings,
    guard: RunGuard | None = None,
) -> Iterator[DayResult]:
    """Make the days that are not current, chunk by chunk, and yield the result of each day.

    Args:
        snapshot: the stage, and the state of its tables. When it is refreshed between two results, the rest of a chunk
            is made from the newest inputs.
        days: the days, in any order.
        single_partition: True if the run is for one partition alone.
        settings: the size of chunks, and the processes that make them.
        guard: checked for the time left before each day but the first.

    Yields:
        The outcome of an unchanged day, the day computed, or why it cannot be computed; last, `RunEnded` if the time of
        the step is over.
    """
    stage, is_first = snapshot.stage, True
    if settings.open_pool and len(days) > 1 and not any(table.has_outdated_columns for table in stage.tables.values()):
        yield from _results_of_pool(snapshot, days, single_partition, settings, guard)
        return
    for planned in _plan(stage, days, single_partition, settings.memory, MOST_DAYS):
        if guard and not is_first and (time_is_over := guard.time_limit_error()):
            yield time_is_over
            return
        is_first = False
        if isinstance(planned, list):
            yield from _make_chunk(snapshot, planned, single_partition, guard)
        else:
            yield planned


def _results_of_pool(
    snapshot: TableSnapshot,
    days: Sequence[date],
    single_partition: bool,
    settings: ChunkSettings,
    guard: RunGuard | None,
) -> Iterator[DayResult]:
    """Yield the results of chunks of other processes; if a chunk fails, this process computes its days one by one."""
    assert settings.open_pool
    chunks: list[list[DueDay]] = []
    most_days = min(MOST_DAYS, -(-len(days) // settings.processes))
    for planned in _plan(snapshot.stage, days, single_partition, settings.memory, most_days):
        if isinstance(planned, list):
            chunks.append(planned)
        else:
            yield planned
    if len(chunks) < 2:
        for chunk in chunks:
            yield from _make_chunk(snapshot, chunk, single_partition, guard)
        return
    with settings.open_pool() as pool:
        futures = [pool.submit(make_remotely, snapshot.stage, chunk, single_partition) for chunk in chunks]
        try:
            for chunk, future in zip(chunks, futures, strict=True):
                if guard and chunk is not chunks[0] and (time_is_over := guard.time_limit_error()):
                    yield time_is_over
                    return
                yield from _made_remotely(snapshot, chunk, single_partition, guard, future)
        finally:
            for future in futures:
                future.cancel()


def _made_remotely(
    snapshot: TableSnapshot,
    chunk: Sequence[DueDay],
    single_partition: bool,
    guard: RunGuard | None,
    future: "Future[RemoteChunk]",
) -> Iterator[DayResult]:
    try:
        remote = future.result()
    except Exception as error:
        remote = RemoteChunk([], f"the process that made it ended: {error}")
    if remote.error:
        log.warning(
            "%s: %d days could not be made by another process (%s)", snapshot.stage.name, len(chunk), remote.error
        )
        yield from _make_chunk(snapshot, chunk, single_partition, guard)
        return
    for due, (output, seconds) in zip(chunk, remote.outputs, strict=True):
        yield pending_day(snapshot.stage, due, output, seconds, single_partition)


def _plan(
    stage: Stage, days: Sequence[date], single_partition: bool, memory: int, most_days: int
) -> Iterator[DayOutcome | CannotMake | list[DueDay]]:
    """Yield the outcome of each unchanged day, the reason why a day cannot be computed, and the other days in chunks.

    If the inputs of a day may depend on the day before, it is checked only once that day is computed.
    """
    chunk: list[DueDay] = []
    for day in sorted(days):
        try:
            result = check_day(stage, day, single_partition)
        except CannotMake as error:
            yield error
            continue
        if isinstance(result, DayOutcome):
            yield result
            continue
        if chunk and (len(chunk) >= most_days or not _has_room(stage, [due.day for due in chunk], day, memory)):
            yield chunk
            chunk = []
        chunk.append(result)
        if stage.memory([day]) is None:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _has_room(stage: Stage, chunk: list[date], day: date, memory: int) -> bool:
    """Return whether a day can be computed together with those of a chunk."""
    needed = stage.memory([*chunk, day])
    return needed is not None and needed <= memory and chunk[-1] + DAY == day


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
    except (*REASONS_NOT_TO_MAKE, InputChanged) as error:
        # Made one by one, only the day at fault fails, with its own error.
        log.info("%s: %d days cannot be made together (%s); making one by one", stage.name, len(chunk), error)
