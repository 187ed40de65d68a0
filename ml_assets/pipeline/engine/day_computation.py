"""The computation of one day: left alone if it is current, else made and held until it is committed."""

import logging
import time
from datetime import date
from typing import Any

from ml_assets.core.tables.fingerprint import EXPIRED, why_changed
from ml_assets.pipeline.engine.day_state import expected_fingerprint, holds_day, is_committed
from ml_assets.pipeline.engine.pending_commit import PendingDay
from ml_assets.pipeline.engine.stage import (
    CannotMake,
    DayOutcome,
    DecidedAlready,
    InputChanged,
    InputExpired,
    KeepDay,
    Stage,
    StageOutput,
)
from ml_assets.resources.lake.errors import DamagedDay
from ml_assets.resources.lake.model_files import ModelFilesUnusable

MAX_ATTEMPTS = 3
log = logging.getLogger("ml_assets.days")


def make_unless_current(
    stage: Stage, day: date, single_partition: bool, force: bool = False
) -> DayOutcome | PendingDay:
    """Return the outcome of a day that stays as it is, or the day made and not yet committed.

    Args:
        stage: the stage.
        day: the day.
        single_partition: True if the run is for this partition alone; a day with damaged files is then made again.
        force: make the day even if the lake holds it as expected.

    Raises:
        CannotMake: when something has to be made first, or the files of an input are damaged.
        InputChanged: when an input was replaced during each of MAX_ATTEMPTS attempts.
    """
    begun, is_damaged = time.perf_counter(), False
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            # Before anything else, because a stage may read its own tables to know whether a day is current.
            is_damaged = single_partition and _is_damaged(stage, day)
            expected = _expected_fingerprint(stage, day, is_damaged)
            if not force and not is_damaged and holds_day(stage, day, expected):
                return DayOutcome(day, False, {}, time.perf_counter() - begun, expected)
            output, table = stage.make(day, single_partition), stage.tables[stage.name]
            return PendingDay(
                day,
                expected,
                output,
                time.perf_counter() - begun,
                single_partition,
                kept_fingerprint=table.fingerprint(day) if _is_same_as_committed(stage, day, output) else None,
                reasons=why_changed(table.input_fingerprint(day), expected),
            )
        except KeepDay as reason:
            damage = "; its rows are damaged, and stay so until it may be made again" if is_damaged else ""
            return _unchanged_outcome(stage, day, begun, problem=f"{reason}{damage}")
        except DecidedAlready:
            return _unchanged_outcome(stage, day, begun)
        except InputExpired as error:
            # Made again from the inputs that are left, the day would come out differently.
            if is_damaged or not is_committed(stage, day):
                raise
            return _unchanged_outcome(stage, day, begun, metadata={"left_as_it_is": str(error)})
        except (DamagedDay, ModelFilesUnusable) as error:
            # The other days can still be made.
            raise CannotMake(str(error)) from error
        except InputChanged:
            if attempt == MAX_ATTEMPTS:
                raise
            log.warning(
                "%s %s: an input was replaced while it was read; reading it again", stage.name, day, extra={"day": day}
            )
            stage.refresh()
    raise AssertionError("the last attempt returns or raises")


def _expected_fingerprint(stage: Stage, day: date, is_damaged: bool) -> int:
    """Return the fingerprint under which a day is made; that of its rows for a damaged day that is decided."""
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
    """Return whether the lake already holds everything of a new output that other stages read."""
    if output.has_side_effects or not is_committed(stage, day):
        return False
    return all(
        stage.tables[name].has_rows(day, rows)
        for name, rows in output.tables.items()
        if name not in output.unread_tables
    )


def _unchanged_outcome(stage: Stage, day: date, begun: float, **details: Any) -> DayOutcome:
    """Return the outcome of a day that stays as it is; its fingerprint is EXPIRED if it was never made."""
    committed = stage.tables[stage.name].fingerprint(day) or EXPIRED
    return DayOutcome(day, False, {}, time.perf_counter() - begun, committed, **details)
