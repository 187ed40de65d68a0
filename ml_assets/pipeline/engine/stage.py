"""The interface between the engine and the stages: a stage, its output for a day, and the outcome of that day."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ml_assets.core.operations.failures.damaged_state import DamagedState

if TYPE_CHECKING:
    import pyarrow as pa

    from ml_assets.resources.lake.table import Table


class CannotMake(Exception):
    """A day cannot be computed, and a retry would not help; the message says what to do."""


class InputMissing(CannotMake):
    """Another day or asset has to be computed first; the message says which."""


class InputExpired(CannotMake):
    """Retention removed rows that a day reads."""


class DamagedInput(CannotMake, DamagedState):
    """Rows or model files that a day reads are damaged; the message says which and what to do."""


class InputChanged(Exception):
    """An input was replaced while it was read; a new read returns the new version."""


class KeepDay(Exception):
    """A day must stay as it is, made or not, although its inputs would give another result; the message says why."""


class DecidedAlready(Exception):
    """A day holds a decision, which later data do not change."""


@dataclass(frozen=True)
class StageOutput:
    """The result of a stage for one day, not yet committed.

    tables: rows by asset name. problem: why the day is not as it should be (rejected, missing, no model), or None.
    metadata: figures of the day for the UI. unread_tables: side tables that no other stage reads; a change in them
    alone does not count as a change of the day. has_side_effects: computing the day changed something outside the lake,
    so the day counts as changed whatever its rows are. needs_immediate_commit: the next day depends on this one, so it
    is committed before the next is computed.
    """

    tables: Mapping[str, "pa.Table"]
    problem: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    unread_tables: Collection[str] = ()
    has_side_effects: bool = False
    needs_immediate_commit: bool = False


class Stage(Protocol):
    """One stage of the pipeline: the inputs of a day, and how the day is made from them."""

    @property
    def name(self) -> str:
        """Name of the main asset; its table is committed last, so its fingerprint proves that all tables of the day
        are committed.
        """
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
        """Forget all cached inputs."""
        ...

    def inputs(self, day: date) -> Sequence[object]:
        """Return the inputs of a day with their fingerprints or digests.

        Raises:
            CannotMake: when an input has to be computed first.
            KeepDay: when the day has to stay as it is, whether it was computed before or not.
            DecidedAlready: when the day was computed, and stays as it is.
        """
        ...

    def memory(self, days: Sequence[date]) -> int | None:
        """Estimate the bytes of memory that a chunk of consecutive days takes while it is computed; None for a stage
        that computes each day by itself.
        """
        ...

    def make(self, days: Sequence[date], single_partition: bool) -> Iterator[StageOutput]:
        """Make a chunk of consecutive days, without committing them.

        Work that the days share is done once. An exception for one of several days ends the chunk: the engine then
        makes its remaining days one by one, so that only the day at fault fails.

        Args:
            days: consecutive days, ascending; one day if `memory` returns None.
            single_partition: True if the run is for one partition alone; a day that cannot be computed is then an error
                instead of a result.

        Returns:
            The output of each day, in order, computed lazily.
        """
        ...


class DayByDay(ABC):
    """A stage that computes each day by itself."""

    def memory(self, days: Sequence[date]) -> int | None:
        """Return None: no day is computed together with others."""
        return None

    def make(self, days: Sequence[date], single_partition: bool) -> Iterator[StageOutput]:
        """Make days one by one."""
        return (self.make_day(day, single_partition) for day in days)

    @abstractmethod
    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        """Make one day, without committing it; see `Stage.make`."""


@runtime_checkable
class StageWithArtifacts(Protocol):
    """A stage that also stores files or registered versions outside its tables; it extends this protocol and implements
    `Stage`.
    """

    def has_artifacts(self, day: date) -> bool:
        """Return whether everything that the stage stored outside its tables for a committed day still exists."""
        ...


def has_artifacts(stage: Stage, day: date) -> bool:
    """Return whether a committed day still has all its artifacts; True for a stage that stores none."""
    return not isinstance(stage, StageWithArtifacts) or stage.has_artifacts(day)


def reports_missing_inputs(stage: Stage) -> bool:
    """Return whether a day that lacks an input is an outcome with a problem in a run over several days, and not an
    error.
    """
    return getattr(stage, "reports_missing_inputs", False)


@dataclass(frozen=True)
class DayOutcome:
    """The outcome of one day of a stage.

    computed: the day has other rows than before. rows: number of rows by table. seconds: time it took to compute the
    day. metadata: has the key `made_again`, with the reason, if the day was computed again and came out the same.
    """

    day: date
    computed: bool
    rows: Mapping[str, int]
    seconds: float
    fingerprint: int
    problem: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
