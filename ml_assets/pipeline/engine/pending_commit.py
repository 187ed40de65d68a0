"""Days that are computed and not yet committed, and the commit of several of them together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from ml_assets.pipeline.engine.stage import DayOutcome, Stage, StageOutput
from ml_assets.resources.lake.table import Table


@dataclass(frozen=True)
class PendingDay:
    """A day that is computed and not yet committed.

    expected: the fingerprint under which it is committed. kept_fingerprint: its fingerprint in the lake if it came out
    the same, else None. reasons: why it was computed.
    """

    day: date
    expected: int
    output: StageOutput
    seconds: float
    single_partition: bool
    kept_fingerprint: int | None
    reasons: tuple[str, ...]

    @property
    def num_rows(self) -> int:
        """Rows in all of its tables."""
        return sum(table.num_rows for table in self.output.tables.values())

    def outcome(self) -> DayOutcome:
        """Return the outcome that is reported once the day is committed."""
        rows = {name: table.num_rows for name, table in self.output.tables.items()}
        outcome = DayOutcome(
            self.day, True, rows, self.seconds, self.expected, self.output.problem, self.output.metadata
        )
        if self.kept_fingerprint is None:
            return outcome
        reasons = ", ".join(self.reasons) or "files beside the table were gone"
        metadata = {**self.output.metadata, "made_again": f"{reasons}; the rows came out the same"}
        return replace(outcome, computed=False, fingerprint=self.kept_fingerprint, metadata=metadata)


def commit_together(stage: Stage, pending: Sequence[PendingDay], run_id: str) -> None:
    """Commit days: first the side tables, then the main one, each in one atomic commit.

    Raises:
        deltalake.exceptions.CommitFailedError: when another process has committed one of the days since the tables were
            last refreshed; side tables that come before the conflicting one are committed by then.
    """
    for name, table in stage.tables.items():
        is_main = name == stage.name
        rows = {
            pending_day.day: pending_day.output.tables[name]
            for pending_day in pending
            if (pending_day.kept_fingerprint is None if is_main else _needs_commit(table, pending_day, name))
        }
        same = {
            pending_day.day: pending_day.expected
            for pending_day in pending
            if is_main and pending_day.kept_fingerprint is not None
        }
        if rows or same:
            expected = {pending_day.day: pending_day.expected for pending_day in pending}
            table.commit(rows, expected, {"dagster_run_id": run_id}, same)


def _needs_commit(side_table: Table, pending_day: PendingDay, name: str) -> bool:
    """Return whether a side table lacks the rows of a day.

    Most days have no rows for quarantine and never had any, and a side table may hold the same rows already.
    """
    committed, rows = side_table.fingerprint(pending_day.day), pending_day.output.tables[name]
    if committed is None:
        return rows.num_rows > 0
    is_older = committed != pending_day.expected or side_table.damage(pending_day.day) is not None
    return is_older and not side_table.has_rows(pending_day.day, rows)
