"""The computation of days: skipped if they are current, otherwise made and held until they are committed."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from ml_assets.core.tables.fingerprint import EXPIRED, why_changed
from ml_assets.pipeline.engine.day_state import expected_fingerprint, holds_day, is_committed
from ml_assets.pipeline.engine.pending_commit import PendingDay
from ml_assets.pipeline.engine.stage import (
    CannotMake,
    DamagedInput,
    DayOutcome,
    DecidedAlready,
    InputChanged,
    InputExpired,
    InputMissing,
    KeepDay,
    Stage,
    StageOutput,
    reports_missing_inputs,
)
from ml_assets.resources.lake.errors import DamagedDay
from ml_assets.resources.lake.model_files import ModelFilesUnusable

MAX_ATTEMPTS = 3
REASONS_NOT_TO_MAKE = (CannotMake, KeepDay, DecidedAlready, DamagedDay, ModelFilesUnusable)
ResultT = TypeVar("ResultT")
log = logging.getLogger("ml_assets.days")


@dataclass(frozen=True)
class DueDay:
    """A day to make.

    expected: the fingerprint under which it is committed. is_damaged: its rows in the lake cannot be read.
    """

    day: date
    expected: int
    is_damaged: bool


def check_day(stage: Stage, day: date, single_partition: bool, force: bool = False) -> DayOutcome | DueDay:
    """Return the outcome of a day that stays unchanged, or the day if it is to be computed.

    Args:
        stage: the stage.
        day: the day.
        single_partition: True if the run is for this partition alone; a day with damaged files is then computed again.
        force: compute the day even if the lake holds it as expected.

    Raises:
        CannotMake: when an input has to be computed first, or its files are damaged.
        InputChanged: when an input was replaced during each of MAX_ATTEMPTS attempts.
    """
    return _with_newest_inputs(stage, day, lambda _: _check(stage, day, single_partition, force))


def make_unless_current(
    stage: Stage, day: date, single_partition: bool, force: bool = False, checked: DueDay | None = None
) -> DayOutcome | PendingDay:
    """Return the outcome of a day that stays unchanged, or the day computed by itself and not yet committed.

    Args:
        stage, day, single_partition, force: as for `check_day`.
        checked: the day as `check_day` has just returned it.

    Raises:
        CannotMake, InputChanged: as `check_day` does.
    """

    def attempt(number: int) -> DayOutcome | PendingDay:
        due = checked if checked and number == 1 else _check(stage, day, single_partition, force)
        return due if isinstance(due, DayOutcome) else _make(stage, due, single_partition)

    return _with_newest_inputs(stage, day, attempt)


def pending_day(stage: Stage, due: DueDay, output: StageOutput, seconds: float, single_partition: bool) -> PendingDay:
    """Return a day that was computed in `seconds`, ready to be committed."""
    table = stage.tables[stage.name]
    return PendingDay(
        due.day,
        due.expected,
        output,
        seconds,
        single_partition,
        kept_fingerprint=table.fingerprint(due.day) if _is_same_as_committed(stage, due.day, output) else None,
        reasons=why_changed(table.input_fingerprint(due.day), due.expected),
    )


def _check(stage: Stage, day: date, single_partition: bool, force: bool) -> DayOutcome | DueDay:
    begun, is_damaged = time.perf_counter(), False
    try:
        # Before anything else, because a stage may read its own tables to know whether a day is current.
        is_damaged = single_partition and _is_damaged(stage, day)
        expected = _expected_fingerprint(stage, day, is_damaged)
        if not force and not is_damaged and holds_day(stage, day, expected):
            return DayOutcome(day, False, {}, time.perf_counter() - begun, expected)
        return DueDay(day, expected, is_damaged)
    except REASONS_NOT_TO_MAKE as reason:
        return _unless_made(stage, day, begun, is_damaged, reason, single_partition)


def _make(stage: Stage, due: DueDay, single_partition: bool) -> DayOutcome | PendingDay:
    begun = time.perf_counter()
    try:
        (output,) = stage.make([due.day], single_partition)
    except REASONS_NOT_TO_MAKE as reason:
        return _unless_made(stage, due.day, begun, due.is_damaged, reason, single_partition)
    return pending_day(stage, due, output, time.perf_counter() - begun, single_partition)


def _unless_made(
    stage: Stage, day: date, begun: float, is_damaged: bool, reason: Exception, single_partition: bool
) -> DayOutcome:
    """Return the outcome of a day that need not be computed; otherwise raise the reason why it could not be."""
    match reason:
        case KeepDay():
            damage = "; its rows are damaged, and stay so until it may be made again" if is_damaged else ""
            return _unchanged_outcome(stage, day, begun, problem=f"{reason}{damage}")
        case InputMissing() if not single_partition and reports_missing_inputs(stage):
            return _unchanged_outcome(stage, day, begun, problem=str(reason))
        case DecidedAlready():
            return _unchanged_outcome(stage, day, begun)
        # The remaining inputs would give the day a different result.
        case InputExpired() if not is_damaged and is_committed(stage, day):
            return _unchanged_outcome(stage, day, begun, metadata={"left_as_it_is": str(reason)})
        case DamagedDay() | ModelFilesUnusable():
            # The other days can still be computed.
            raise DamagedInput(str(reason)) from reason
    raise reason


def _with_newest_inputs(stage: Stage, day: date, attempt: Callable[[int], ResultT]) -> ResultT:
    """Return the result of `attempt`, called with the number of the attempt; try again when an input was replaced while
    it was read.
    """
    for number in range(1, MAX_ATTEMPTS + 1):
        try:
            return attempt(number)
        except InputChanged:
            if number == MAX_ATTEMPTS:
                raise
            log.warning(
                "%s %s: an input was replaced while it was read; reading it again", stage.name, day, extra={"day": day}
            )
            stage.refresh()
    raise AssertionError("the last attempt returns or raises")


def _expected_fingerprint(stage: Stage, day: date, is_damaged: bool) -> int:
    """Return the fingerprint under which a day is computed; the committed one for a damaged day with a decision."""
    try:
        return expected_fingerprint(stage, day)
    except DecidedAlready:
        committed = stage.tables[stage.name].fingerprint(day)
        if not is_damaged or committed is None:
            raise
        return committed


def _is_damaged(stage: Stage, day: date) -> bool:
    """Return whether rows of a day cannot be read from one of the stage's own tables."""
    return any(table.damage(day) is not None for table in stage.tables.values())


def _is_same_as_committed(stage: Stage, day: date, output: StageOutput) -> bool:
    """Return whether the lake already holds all parts of a new output that other stages read."""
    if output.has_side_effects or not is_committed(stage, day):
        return False
    return all(
        stage.tables[name].has_rows(day, rows)
        for name, rows in output.tables.items()
        if name not in output.unread_tables
    )


def _unchanged_outcome(stage: Stage, day: date, begun: float, **details: Any) -> DayOutcome:
    """Return the outcome of a day that stays unchanged; its fingerprint is EXPIRED if it was never made."""
    committed = stage.tables[stage.name].fingerprint(day) or EXPIRED
    return DayOutcome(day, False, {}, time.perf_counter() - begun, committed, **details)
