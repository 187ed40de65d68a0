"""What the engine and the stages agree on: a stage, what it makes of a day, and what came of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pyarrow as pa

    from ml_assets.resources.lake.table import Table


class CannotMake(Exception):
    """A day cannot be made as asked, for a reason that trying again does not change; the message says what to do."""


class InputExpired(CannotMake):
    """A day reads days whose rows were removed by retention."""


class InputChanged(Exception):
    """An input was replaced while it was read; reading it again gives the new one."""


class KeepDay(Exception):
    """A day has to stay as it is, made or not, although it would be made, or made otherwise, now; the message says
    why.
    """


class DecidedAlready(Exception):
    """A day holds what was decided on it, which later data do not change."""


@dataclass(frozen=True)
class StageOutput:
    """What a stage made of one day.

    tables: rows by asset name. problem: why the day is not as it should be (rejected, missing, no model), or None.
    metadata: figures of the day for the UI. unread: side tables that no other stage reads, so that the day counts as
    the same whatever they hold. acted_outside: making the day changed something outside of the lake, so that it counts
    as changed whatever its rows are. at_once: the day is committed before the next is made, which depends on it.
    """

    tables: Mapping[str, "pa.Table"]
    problem: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    unread: Collection[str] = ()
    acted_outside: bool = False
    at_once: bool = False


class Stage(Protocol):
    """One stage of the pipeline: what a day is made from, and how."""

    @property
    def name(self) -> str:
        """The main asset; its table is committed last, so its fingerprint says that all of the day's tables are
        there.
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
        """Forget what is known of the inputs."""
        ...

    def inputs(self, day: date) -> Sequence[object]:
        """What the day is made from, with fingerprints or digests.

        Raises:
            CannotMake: when something has to be made first.
            KeepDay: when the day has to stay as it is, whether it was made before or not.
            DecidedAlready: when the day was made, and stays as it is.
        """
        ...

    def make(self, day: date, single_partition: bool) -> StageOutput:
        """Make one day. `alone`: the day was asked for by itself, so a day that cannot be made is an error and not a
        result.
        """
        ...


@runtime_checkable
class StageWithArtifacts(Protocol):
    """A stage that also stores files or registered versions outside its tables; it extends this protocol and implements `Stage`."""

    def has_artifacts(self, day: date) -> bool:
        """Return whether everything that the stage stored outside its tables for a committed day still exists."""
        ...


def has_artifacts(stage: Stage, day: date) -> bool:
    """Return whether a committed day still has all its artifacts; True for a stage that stores none."""
    return not isinstance(stage, StageWithArtifacts) or stage.has_artifacts(day)


@dataclass(frozen=True)
class DayOutcome:
    """What happened to one day of a stage. computed: it has other rows than before. metadata: with `made_again` where
    it was made and came out the same, saying why it was made.
    """

    day: date
    computed: bool
    rows: Mapping[str, int]
    seconds: float
    fingerprint: int
    problem: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
