"""The one engine that every daily asset runs through: skip what is unchanged, make the rest, commit each day whole."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from ml_assets.core.tables.fingerprint import EXPIRED, fingerprint, why_changed
from ml_assets.pipeline.engine.pending_commit import PendingDay, commit_together
from ml_assets.pipeline.engine.run_guard import RunGuard, RunOver
from ml_assets.pipeline.engine.stage import (
    CannotMake,
    DayOutcome,
    DecidedAlready,
    InputChanged,
    InputExpired,
    KeepDay,
    Stage,
    StageOutput,
    has_artifacts,
)
from ml_assets.resources.lake.errors import DamagedDay

ATTEMPTS = 3
# A commit costs about 20 ms, whatever it holds; this many days share one unless they are large.
DAYS_PER_COMMIT, ROWS_PER_COMMIT = 25, 200_000
log = logging.getLogger("ml_assets.days")


def expected_fingerprint(stage: Stage, day: date) -> int:
    """The fingerprint that the day has when it is up to date."""
    return fingerprint(stage.code, stage.spec_part, stage.inputs(day))


def is_current(stage: Stage, day: date) -> bool:
    """Whether the lake holds the day as it would be made now, or as it has to stay."""
    try:
        return _holds(stage, day, expected_fingerprint(stage, day))
    except (KeepDay, DecidedAlready):
        return True
    except InputExpired:
        return is_committed(stage, day)


def _holds(stage: Stage, day: date, expected: int) -> bool:
    return stage.tables[stage.name].holds(day, expected) and has_artifacts(stage, day)


def is_committed(stage: Stage, day: date) -> bool:
    """Whether the lake holds rows of the day, made from whatever: they were made before, and retention did not remove
    them.
    """
    return stage.tables[stage.name].fingerprint(day) not in (None, EXPIRED)


def make_days(
    stage: Stage, days: Sequence[date], run_id: str, single_partition: bool, guard: RunGuard | None = None
) -> Iterator[DayOutcome]:
    """Make `days` of a stage, one after the other; yields each day's outcome once it is committed.

    A day whose committed fingerprint, or recipe, equals the expected one is left alone, and so are one that has to stay
    as it is and one whose inputs retention removed since. The others are committed a few at a time, first the side
    tables, then the main one, each in one atomic commit, so that a reader sees a day as it was or as it is. A day that
    comes out the same, in all that other stages read, keeps its fingerprint, so nothing behind it sees a change. When
    another process committed one of the days since its inputs were looked at, they are looked at again: its result is
    taken if it was made from the same, else the day is made again. So nobody publishes what was made of older inputs
    over what was made of newer ones.

    `alone` says that somebody asked for one day by itself: what would be a result in a range is then an error, and a
    day whose files are damaged is made again. `guard` is asked before each commit, and before each day but the first
    whether there is time for more.

    Raises:
        RunOver: when the guard says so.
        CannotMake: after all other days are made, when a day lacks something that has to be made first, or is asked for
            alone and has no data.
    """
    held = _HeldDays(stage, days)
    waiting: list[PendingDay] = []
    cannot: list[str] = []
    over: RunOver | None = None
    for number, day in enumerate(sorted(days)):
        if guard and number and (over := guard.out_of_time()):
            break
        try:
            found = _look_or_make(stage, day, single_partition)
        except CannotMake as error:
            cannot.append(str(error))
            continue
        if isinstance(found, DayOutcome):
            yield _told(stage, found)
            continue
        waiting.append(found)
        if found.made.at_once or len(waiting) >= DAYS_PER_COMMIT or sum(one.size for one in waiting) >= ROWS_PER_COMMIT:
            yield from _commit(held, waiting, run_id, cannot, guard)
            waiting = []
    if waiting:
        yield from _commit(held, waiting, run_id, cannot, guard)
    if over:
        raise over
    if cannot:
        others = f" (and {len(cannot) - 1} more days for the like reason)" if len(cannot) > 1 else ""
        raise CannotMake(f"{cannot[0]}{others}")


class _HeldDays:
    """What the main table held of days when the inputs were looked at last.

    A commit is refused when another one of the day came after the version of the table that is open, and a run that
    commits opens newer versions as it goes. Of a day that somebody committed in between, the inputs that are known here
    may be older than those that it was made from.
    """

    def __init__(self, stage: Stage, days: Sequence[date]):
        self.stage, self.main, self._days = stage, stage.tables[stage.name], days
        self.refresh()

    def refresh(self) -> None:
        """See what others have committed since, and then what there is to make days from: the inputs have to be the
        newer of the two.
        """
        for table in self.stage.tables.values():
            table.refresh()
        self._held = {day: self._of(day) for day in self._days}
        self.stage.refresh()

    def is_contested(self, day: date) -> bool:
        """Whether another process committed a day that was not committed here since."""
        return self._of(day) != self._held[day]

    def _of(self, day: date) -> tuple[int | None, int | None]:
        return self.main.fingerprint(day), self.main.input_fingerprint(day)


def _look_or_make(stage: Stage, day: date, single_partition: bool, anew: bool = False) -> DayOutcome | PendingDay:
    """The day as it is, or made and not yet committed; `anew`: made whatever the lake holds."""
    begun = time.perf_counter()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            expected = expected_fingerprint(stage, day)
            if not anew and _holds(stage, day, expected) and not (single_partition and _is_damaged(stage, day)):
                return DayOutcome(day, False, {}, time.perf_counter() - begun, expected)
            made, table = stage.make(day, single_partition), stage.tables[stage.name]
            kept = table.fingerprint(day) if _comes_out_the_same(stage, day, made) else None
            return PendingDay(
                day,
                expected,
                made,
                time.perf_counter() - begun,
                single_partition,
                kept,
                why_changed(table.input_fingerprint(day), expected),
            )
        except KeepDay as reason:
            return _left(stage, day, begun, problem=str(reason))
        except DecidedAlready:
            return _left(stage, day, begun)
        except InputExpired as error:
            # From less data than it was made of it would come out otherwise.
            if not is_committed(stage, day):
                raise
            return _left(stage, day, begun, metadata={"left_as_it_is": str(error)})
        except DamagedDay as error:
            # The other days can be made.
            raise CannotMake(str(error)) from error
        except InputChanged:
            if attempt == ATTEMPTS:
                raise
            log.warning(
                "%s %s: an input was replaced while it was read; reading it again", stage.name, day, extra={"day": day}
            )
            stage.refresh()
    raise AssertionError("the last attempt returns or raises")


def _is_damaged(stage: Stage, day: date) -> bool:
    """Whether rows of a day cannot be read; they are then made again for whoever asks for the day by itself."""
    return any(table.is_damaged(day) for table in stage.tables.values())


def _comes_out_the_same(stage: Stage, day: date, made: StageOutput) -> bool:
    """Whether a day was there before, and the lake holds all that others see of it as it was made now."""
    if made.acted_outside or not is_committed(stage, day):
        return False
    return all(stage.tables[name].has_rows(day, rows) for name, rows in made.tables.items() if name not in made.unread)


def _left(stage: Stage, day: date, begun: float, **why: Any) -> DayOutcome:
    """The outcome of a day that stays as it is; its fingerprint is EXPIRED where nothing was made of it."""
    return DayOutcome(
        day, False, {}, time.perf_counter() - begun, stage.tables[stage.name].fingerprint(day) or EXPIRED, **why
    )


def _commit(
    held: _HeldDays, waiting: Sequence[PendingDay], run_id: str, cannot: list[str], guard: RunGuard | None
) -> Iterator[DayOutcome]:
    """Commit days together; those that another process committed since their inputs were looked at one by one, looking
    again at each.
    """
    from deltalake.exceptions import CommitFailedError

    if guard:
        guard.before_publishing()
    contested = [one for one in waiting if held.is_contested(one.day)]
    fresh = [one for one in waiting if one not in contested]
    try:
        commit_together(held.stage, fresh, run_id)
    except CommitFailedError:
        contested, fresh = list(waiting), []
    for one in fresh:
        yield _told(held.stage, one.outcome())
    if contested:
        log.warning(
            "%s: another process committed one of %d days meanwhile; looking again", held.stage.name, len(waiting)
        )
    for one in contested:
        try:
            outcome = _settle(held, one, run_id)
        except CannotMake as error:
            cannot.append(str(error))
            continue
        yield _told(held.stage, outcome)


def _settle(held: _HeldDays, contested: PendingDay, run_id: str) -> DayOutcome:
    from deltalake.exceptions import CommitFailedError

    for attempt in range(1, ATTEMPTS + 1):
        held.refresh()
        # A side table that took this day before the main one refused it has rows beside those of another recipe.
        is_torn = any(
            table.fingerprint(contested.day) == contested.expected
            for name, table in held.stage.tables.items()
            if name != held.stage.name
        )
        found = _look_or_make(
            held.stage,
            contested.day,
            contested.single_partition,
            anew=is_torn and not held.main.holds(contested.day, contested.expected),
        )
        if isinstance(found, DayOutcome):
            # Rows of the day are other ones than when this run began, though it did not make them.
            return replace(found, metadata={**found.metadata, "committed_meanwhile": True})
        try:
            commit_together(held.stage, [found], run_id)
            return found.outcome()
        except CommitFailedError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _told(stage: Stage, outcome: DayOutcome) -> DayOutcome:
    said = "computed" if outcome.computed else "unchanged"
    log.info("%s %s %s", stage.name, outcome.day, said, extra={"stage": stage.name, "outcome": outcome})
    return outcome
