"""Days that are made and not yet committed: what they hold, and committing some of them together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from ml_assets.pipeline.engine.stage import DayOutcome, Stage, StageOutput
from ml_assets.resources.lake.table import Table


@dataclass(frozen=True)
class PendingDay:
    """A day that is made and not yet committed. kept: its fingerprint, where it came out as it is in the lake. why: why
    it was made.
    """

    day: date
    expected: int
    made: StageOutput
    seconds: float
    single_partition: bool
    kept: int | None
    why: tuple[str, ...]

    @property
    def size(self) -> int:
        """Rows in all of its tables."""
        return sum(table.num_rows for table in self.made.tables.values())

    def outcome(self) -> DayOutcome:
        """What is told of it once it is committed."""
        rows = {name: table.num_rows for name, table in self.made.tables.items()}
        found = DayOutcome(self.day, True, rows, self.seconds, self.expected, self.made.problem, self.made.metadata)
        if self.kept is None:
            return found
        told = {
            **self.made.metadata,
            "made_again": f"{', '.join(self.why) or 'files beside the table were gone'}; the rows came out the same",
        }
        return replace(found, computed=False, fingerprint=self.kept, metadata=told)


def commit_together(stage: Stage, waiting: Sequence[PendingDay], run_id: str) -> None:
    """Commit days: first the side tables, then the main one, each in one atomic commit.

    Raises:
        deltalake.exceptions.CommitFailedError: when another process committed one of the days since the tables were
            looked at; side tables that come before the one of the conflict are committed by then.
    """
    for name, table in stage.tables.items():
        is_main = name == stage.name
        rows = {
            one.day: one.made.tables[name]
            for one in waiting
            if (one.kept is None if is_main else _has_news(table, one, name))
        }
        same = {one.day: one.expected for one in waiting if is_main and one.kept is not None}
        if rows or same:
            table.commit(rows, {one.day: one.expected for one in waiting}, {"dagster_run_id": run_id}, same)


def _has_news(side: Table, waiting: PendingDay, name: str) -> bool:
    """Whether a side table lacks what was made of a day: most days have nothing for quarantine and never had, and the
    same may be there already.
    """
    held, rows = side.fingerprint(waiting.day), waiting.made.tables[name]
    return rows.num_rows > 0 if held is None else held != waiting.expected and not side.has_rows(waiting.day, rows)
