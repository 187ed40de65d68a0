"""Commits while other processes commit the same days: a conflicting day is computed again from the newest inputs."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from ml_assets.pipeline.engine.day_computation import MAX_ATTEMPTS, make_unless_current
from ml_assets.pipeline.engine.pending_commit import PendingDay, commit_together
from ml_assets.pipeline.engine.run_guard import RunGuard
from ml_assets.pipeline.engine.stage import CannotMake, DayOutcome, Stage

log = logging.getLogger("ml_assets.days")


class TableSnapshot:
    """Fingerprints of days in the main table at the time when the inputs were last read.

    Delta Lake refuses a commit when another commit of the day came after the open version of the table, and a run opens
    newer versions as it commits. So the version alone does not show every conflict: another process may have made the
    day in between, from newer inputs than this run has read.
    """

    def __init__(self, stage: Stage, days: Sequence[date]):
        self.stage = stage
        self.main = stage.tables[stage.name]
        self._days = days
        self.refreshes = 0
        self.refresh()

    def refresh(self) -> None:
        """Open the newest version of the tables, then forget cached inputs.

        In this order, so that the inputs are never older than the tables.
        """
        self.refreshes += 1
        for table in self.stage.tables.values():
            table.refresh()
        self._fingerprints = {day: self._fingerprints_of(day) for day in self._days}
        self.stage.refresh()

    def has_conflict(self, day: date) -> bool:
        """Return whether another process has committed a day that this run has not committed since the refresh."""
        return self._fingerprints_of(day) != self._fingerprints[day]

    def _fingerprints_of(self, day: date) -> tuple[int | None, int | None]:
        return self.main.fingerprint(day), self.main.input_fingerprint(day)


def commit_days(
    snapshot: TableSnapshot, pending: Sequence[PendingDay], run_id: str, problems: list[str], guard: RunGuard | None
) -> Iterator[DayOutcome]:
    """Commit days together. Days that another process has committed since are committed one by one, each computed again
    if its inputs have changed.

    Args:
        snapshot: the state of the tables that the days were computed against.
        pending: the days to commit.
        run_id: the Dagster run that commits.
        problems: list to which the message of each conflicting day that cannot be computed is added.
        guard: checked before anything is committed.

    Raises:
        RunEnded: when the run has ended.
    """
    from deltalake.exceptions import CommitFailedError

    if guard:
        guard.check_before_publishing()
    conflicting = [pending_day for pending_day in pending if snapshot.has_conflict(pending_day.day)]
    without_conflict = [pending_day for pending_day in pending if pending_day not in conflicting]
    try:
        commit_together(snapshot.stage, without_conflict, run_id)
    except CommitFailedError:
        conflicting, without_conflict = list(pending), []
    for pending_day in without_conflict:
        yield log_outcome(snapshot.stage, pending_day.outcome())
    if conflicting:
        log.warning(
            "%s: another process committed one of %d days; reading the inputs again",
            snapshot.stage.name,
            len(pending),
        )
    for pending_day in conflicting:
        try:
            outcome = _resolve_conflict(snapshot, pending_day, run_id)
        except CannotMake as error:
            problems.append(str(error))
            continue
        yield log_outcome(snapshot.stage, outcome)


def _resolve_conflict(snapshot: TableSnapshot, pending_day: PendingDay, run_id: str) -> DayOutcome:
    from deltalake.exceptions import CommitFailedError

    day, expected = pending_day.day, pending_day.expected
    for attempt in range(1, MAX_ATTEMPTS + 1):
        snapshot.refresh()
        # If a side table was committed before the main table refused the day, its rows do not match those of the main
        # table.
        is_torn = any(
            table.fingerprint(day) == expected
            for name, table in snapshot.stage.tables.items()
            if name != snapshot.stage.name
        )
        force = is_torn and not snapshot.main.holds(day, expected)
        result = make_unless_current(snapshot.stage, day, pending_day.single_partition, force)
        if isinstance(result, DayOutcome):
            # The rows differ from those at the start of this run, though this run did not make them.
            return replace(result, metadata={**result.metadata, "committed_meanwhile": True})
        try:
            commit_together(snapshot.stage, [result], run_id)
            return result.outcome()
        except CommitFailedError:
            if attempt == MAX_ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def log_outcome(stage: Stage, outcome: DayOutcome) -> DayOutcome:
    """Log the outcome of a day and return it; the console follows these log records."""
    result = "computed" if outcome.computed else "unchanged"
    log.info("%s %s %s", stage.name, outcome.day, result, extra={"stage": stage.name, "outcome": outcome})
    return outcome
