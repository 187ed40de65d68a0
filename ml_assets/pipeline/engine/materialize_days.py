"""The loop that every daily asset runs through: skip current days, make the others, commit each day whole."""

from collections.abc import Iterator, Sequence
from datetime import date

from ml_assets.core.counts import count
from ml_assets.pipeline.engine.chunks import ChunkSettings, results_by_day
from ml_assets.pipeline.engine.commit_conflicts import TableSnapshot, commit_days, log_outcome
from ml_assets.pipeline.engine.pending_commit import PendingDay
from ml_assets.pipeline.engine.run_guard import RunEnded, RunGuard
from ml_assets.pipeline.engine.stage import CannotMake, DamagedInput, DayOutcome, Stage

# A commit takes about 20 ms whatever its size, so this many days share one unless they are large.
DAYS_PER_COMMIT = 25
ROWS_PER_COMMIT = 200_000


def make_days(
    stage: Stage,
    days: Sequence[date],
    run_id: str,
    single_partition: bool,
    guard: RunGuard | None = None,
    chunks: ChunkSettings = ChunkSettings(),  # noqa: B008 (it is frozen)
) -> Iterator[DayOutcome]:
    """Make days of a stage in order, and yield the outcome of each day once it is committed.

    A day stays unchanged if its committed fingerprint or input fingerprint equals the expected one, if the stage keeps
    it, or if retention has removed its inputs since. The other days are committed a few at a time, first the side
    tables, then the main one, each in one atomic commit, so that a reader sees either the old day or the new one. If
    the rows that other stages read come out the same, the day keeps its fingerprint, so that no downstream stage sees a
    change. When another process has committed one of the days since its inputs were read, they are read again: its
    result is kept if it was made from the same inputs, else the day is computed again. So a result of older inputs
    never replaces one of newer inputs.

    Args:
        stage: the stage.
        days: the days, in any order.
        run_id: the Dagster run that commits.
        single_partition: True if the run is for one partition alone. A day that would be reported as empty in a range
            is then an error, and a day whose files are damaged is computed again.
        guard: checked before each commit, and for the time left before each day but the first.
        chunks: how days are computed together.

    Raises:
        RunEnded: when the run has ended, or its time is over.
        CannotMake: after all other days are computed, when a day lacks an input that has to be computed first, or is
            the only partition of the run and has no data; DamagedInput, when an input of a day is damaged.
    """
    snapshot = TableSnapshot(stage, days)
    pending: list[PendingDay] = []
    problems: list[str] = []
    kind = CannotMake
    time_limit_error: RunEnded | None = None
    for result in results_by_day(snapshot, days, single_partition, chunks, guard):
        match result:
            case RunEnded():
                time_limit_error = result
                break
            case CannotMake():
                problems.append(str(result))
                kind = DamagedInput if isinstance(result, DamagedInput) else kind
            case DayOutcome():
                yield log_outcome(stage, result)
            case PendingDay():
                pending.append(result)
        if pending and _is_commit_due(pending):
            yield from commit_days(snapshot, pending, run_id, problems, guard)
            pending = []
    if pending:
        yield from commit_days(snapshot, pending, run_id, problems, guard)
    if time_limit_error:
        raise time_limit_error
    if problems:
        others = f" (and {count(len(problems) - 1, 'more day')} for a similar reason)" if len(problems) > 1 else ""
        raise kind(f"{problems[0]}{others}")


def _is_commit_due(pending: Sequence[PendingDay]) -> bool:
    return (
        pending[-1].output.needs_immediate_commit
        or len(pending) >= DAYS_PER_COMMIT
        or sum(pending_day.num_rows for pending_day in pending) >= ROWS_PER_COMMIT
    )
