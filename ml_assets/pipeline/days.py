"""The one engine that every daily asset runs through: skip what is unchanged, make the rest, commit each day whole."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol

from ml_assets.core.fingerprint import fingerprint

if TYPE_CHECKING:
    import pyarrow as pa

    from ml_assets.resources.lake import Table

ATTEMPTS = 3
log = logging.getLogger("ml_assets.days")


class CannotMake(Exception):
    """A day cannot be made as asked, for a reason that trying again does not change; the message says what to do."""


class InputChanged(Exception):
    """An input was replaced while it was read; reading it again gives the new one."""


@dataclass(frozen=True)
class Made:
    """What a stage made of one day.

    tables: rows by asset name. problem: why the day is not as it should be (rejected, missing, no model), or None. metadata: figures of the
    day for the UI.
    """

    tables: Mapping[str, "pa.Table"]
    problem: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


class Stage(Protocol):
    """One stage of the pipeline: what a day is made from, and how."""

    @property
    def name(self) -> str:
        """The main asset; its table is committed last, so its fingerprint says that all of the day's tables are there."""
        ...

    @property
    def code(self) -> str:
        """Code version of the stage."""
        ...

    @property
    def spec_part(self) -> object:
        """The part of the spec that the stage reads, JSON-able."""
        ...

    @property
    def tables(self) -> Mapping[str, "Table"]:
        """The stage's tables by asset name, the main one last."""
        ...

    def refresh(self) -> None:
        """Forget what is known of the inputs."""
        ...

    def inputs(self, day: date) -> Sequence[object]:
        """What the day is made from, with fingerprints or digests."""
        ...

    def make(self, day: date, alone: bool) -> Made:
        """Make one day. `alone`: the day was asked for by itself, so a day that cannot be made is an error and not a result."""
        ...

    def is_kept(self, day: date) -> bool:
        """Whether what the stage keeps outside the lake for the day is still there."""
        ...


@dataclass(frozen=True)
class DayOutcome:
    """What happened to one day of a stage."""

    day: date
    computed: bool
    rows: Mapping[str, int]
    seconds: float
    fingerprint: int
    problem: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


def expected_fingerprint(stage: Stage, day: date) -> int:
    """The fingerprint that the day has when it is up to date."""
    return fingerprint(stage.code, stage.spec_part, stage.inputs(day))


def is_current(stage: Stage, day: date) -> bool:
    """Whether the lake holds the day as it would be made now."""
    return stage.tables[stage.name].fingerprint(day) == expected_fingerprint(stage, day) and stage.is_kept(day)


def make_days(stage: Stage, days: Sequence[date], run_id: str) -> Iterator[DayOutcome]:
    """Make `days` of a stage in ascending order, one at a time; yields each day's outcome once it is committed.

    A day whose committed fingerprint equals the expected one is left alone. Otherwise its tables are committed, the main one last, each in one atomic
    commit. When another process committed the day in between, its result is taken if it was made from the same, else the day is made again.

    Raises:
        CannotMake: when the day lacks something that has to be made first, or is asked for alone and has no data.
    """
    for table in stage.tables.values():
        table.refresh()
    stage.refresh()
    for day in sorted(days):
        outcome = _make_day(stage, day, alone=len(days) == 1, run_id=run_id)
        log.info("%s %s %s", stage.name, day, "computed" if outcome.computed else "unchanged", extra={"stage": stage.name, "outcome": outcome})
        yield outcome


def _make_day(stage: Stage, day: date, alone: bool, run_id: str) -> DayOutcome:
    from deltalake.exceptions import CommitFailedError

    begun = time.perf_counter()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            expected = expected_fingerprint(stage, day)
            if stage.tables[stage.name].fingerprint(day) == expected and stage.is_kept(day):
                return DayOutcome(day, False, {}, time.perf_counter() - begun, expected)
            made = stage.make(day, alone)
            for name, table in stage.tables.items():
                _commit(table, day, made.tables[name], expected, run_id, main=name == stage.name)
            rows = {name: made.tables[name].num_rows for name in stage.tables}
            return DayOutcome(day, True, rows, time.perf_counter() - begun, expected, made.problem, made.metadata)
        except (CommitFailedError, InputChanged):
            if attempt == ATTEMPTS:
                raise
            log.warning("%s %s was changed by another process meanwhile; looking again", stage.name, day)
            for table in stage.tables.values():
                table.refresh()
            stage.refresh()
    raise AssertionError("the last attempt returns or raises")


def _commit(table: "Table", day: date, rows: "pa.Table", expected: int, run_id: str, main: bool) -> None:
    """Commit, unless a side table has nothing for the day and never had."""
    if main or rows.num_rows or table.fingerprint(day) is not None:
        table.commit(day, rows, expected, {"dagster_run_id": run_id})
