"""The one engine that every daily asset runs through: skip what is unchanged, make the rest, commit each day whole."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from ml_assets.core.fingerprint import EXPIRED, fingerprint, why_changed
from ml_assets.pipeline.stage import CannotMake, DayOutcome, DecidedAlready, InputChanged, InputExpired, KeepDay, Made, Stage

if TYPE_CHECKING:
    from ml_assets.resources.table import Table

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
    return stage.tables[stage.name].holds(day, expected) and stage.is_kept(day)


def is_committed(stage: Stage, day: date) -> bool:
    """Whether the lake holds rows of the day, made from whatever: they were made before, and retention did not remove them."""
    return stage.tables[stage.name].fingerprint(day) not in (None, EXPIRED)


def make_days(stage: Stage, days: Sequence[date], run_id: str, alone: bool) -> Iterator[DayOutcome]:
    """Make `days` of a stage, one after the other; yields each day's outcome once it is committed.

    A day whose committed fingerprint, or recipe, equals the expected one is left alone, and so are one that has to stay as it is and one whose inputs
    retention removed since. The others are committed a few at a time, first the side tables, then the main one, each in one atomic commit, so that a
    reader sees a day as it was or as it is. A day that comes out the same, in all that other stages read, keeps its fingerprint, so nothing behind it
    sees a change.
    When another process committed one of the days in between, its result is taken if it was made from the same, else the day is made again.

    `alone` says that somebody asked for one day by itself: what would be a result in a range is then an error.

    Raises:
        CannotMake: after all other days are made, when a day lacks something that has to be made first, or is asked for alone and has no data.
    """
    _refresh(stage)
    waiting: list[_Waiting] = []
    cannot: list[str] = []
    for day in sorted(days):
        try:
            found = _look_or_make(stage, day, alone)
        except CannotMake as error:
            cannot.append(str(error))
            continue
        if isinstance(found, DayOutcome):
            yield _told(stage, found)
            continue
        waiting.append(found)
        if found.made.at_once or len(waiting) >= DAYS_PER_COMMIT or sum(one.size for one in waiting) >= ROWS_PER_COMMIT:
            yield from _commit(stage, waiting, run_id)
            waiting = []
    yield from _commit(stage, waiting, run_id)
    if cannot:
        others = f" (and {len(cannot) - 1} more days for the like reason)" if len(cannot) > 1 else ""
        raise CannotMake(f"{cannot[0]}{others}")


@dataclass(frozen=True)
class _Waiting:
    """A day that is made and not yet committed. kept: its fingerprint, where it came out as it is in the lake. why: why it was made."""

    day: date
    expected: int
    made: Made
    seconds: float
    alone: bool
    kept: int | None
    why: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum(table.num_rows for table in self.made.tables.values())

    def outcome(self) -> DayOutcome:
        rows = {name: table.num_rows for name, table in self.made.tables.items()}
        found = DayOutcome(self.day, True, rows, self.seconds, self.expected, self.made.problem, self.made.metadata)
        if self.kept is None:
            return found
        told = {**self.made.metadata, "made_again": f"{', '.join(self.why) or 'files beside the table were gone'}; the rows came out the same"}
        return replace(found, computed=False, fingerprint=self.kept, metadata=told)


def _look_or_make(stage: Stage, day: date, alone: bool) -> DayOutcome | _Waiting:
    begun = time.perf_counter()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            expected = expected_fingerprint(stage, day)
            if _holds(stage, day, expected):
                return DayOutcome(day, False, {}, time.perf_counter() - begun, expected)
            made, table = stage.make(day, alone), stage.tables[stage.name]
            kept = table.fingerprint(day) if _comes_out_the_same(stage, day, made) else None
            return _Waiting(day, expected, made, time.perf_counter() - begun, alone, kept, why_changed(table.recipe(day), expected))
        except KeepDay as reason:
            return _left(stage, day, begun, problem=str(reason))
        except DecidedAlready:
            return _left(stage, day, begun)
        except InputExpired as error:
            # From less data than it was made of it would come out otherwise.
            if not is_committed(stage, day):
                raise
            return _left(stage, day, begun, metadata={"left_as_it_is": str(error)})
        except InputChanged:
            if attempt == ATTEMPTS:
                raise
            log.warning("%s %s: an input was replaced while it was read; reading it again", stage.name, day)
            stage.refresh()
    raise AssertionError("the last attempt returns or raises")


def _comes_out_the_same(stage: Stage, day: date, made: Made) -> bool:
    """Whether a day was there before, and the lake holds all that others see of it as it was made now."""
    if made.acted_outside or not is_committed(stage, day):
        return False
    return all(stage.tables[name].has_rows(day, rows) for name, rows in made.tables.items() if name not in made.unread)


def _left(stage: Stage, day: date, begun: float, **why: Any) -> DayOutcome:
    """The outcome of a day that stays as it is; its fingerprint is EXPIRED where nothing was made of it."""
    return DayOutcome(day, False, {}, time.perf_counter() - begun, stage.tables[stage.name].fingerprint(day) or EXPIRED, **why)


def _commit(stage: Stage, waiting: list[_Waiting], run_id: str) -> Iterator[DayOutcome]:
    """Commit days together; one by one, looking again at each, when another process was there in between."""
    from deltalake.exceptions import CommitFailedError

    try:
        _commit_together(stage, waiting, run_id)
        outcomes = [one.outcome() for one in waiting]
    except CommitFailedError:
        log.warning("%s: another process committed one of %d days meanwhile; looking again", stage.name, len(waiting))
        outcomes = [_settle(stage, one, run_id) for one in waiting]
    for outcome in outcomes:
        yield _told(stage, outcome)


def _settle(stage: Stage, contested: _Waiting, run_id: str) -> DayOutcome:
    from deltalake.exceptions import CommitFailedError

    for attempt in range(1, ATTEMPTS + 1):
        _refresh(stage)
        found = _look_or_make(stage, contested.day, contested.alone)
        if isinstance(found, DayOutcome):
            # Rows of the day are other ones than when this run began, though it did not make them.
            return replace(found, metadata={**found.metadata, "committed_meanwhile": True})
        try:
            _commit_together(stage, [found], run_id)
            return found.outcome()
        except CommitFailedError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _commit_together(stage: Stage, waiting: list[_Waiting], run_id: str) -> None:
    for name, table in stage.tables.items():
        is_main = name == stage.name
        rows = {one.day: one.made.tables[name] for one in waiting if (one.kept is None if is_main else _has_news(table, one, name))}
        same = {one.day: one.expected for one in waiting if is_main and one.kept is not None}
        if rows or same:
            table.commit(rows, {one.day: one.expected for one in waiting}, {"dagster_run_id": run_id}, same)


def _has_news(side: "Table", waiting: _Waiting, name: str) -> bool:
    """Whether a side table lacks what was made of a day: most days have nothing for quarantine and never had, and the same may be there already."""
    held, rows = side.fingerprint(waiting.day), waiting.made.tables[name]
    return rows.num_rows > 0 if held is None else held != waiting.expected and not side.has_rows(waiting.day, rows)


def _refresh(stage: Stage) -> None:
    for table in stage.tables.values():
        table.refresh()
    stage.refresh()


def _told(stage: Stage, outcome: DayOutcome) -> DayOutcome:
    said = "computed" if outcome.computed else "unchanged"
    log.info("%s %s %s", stage.name, outcome.day, said, extra={"stage": stage.name, "outcome": outcome})
    return outcome
