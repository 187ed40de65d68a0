"""What Dagster is told of the days of a run: metadata of each, materialisations where the run fails, and the lines of
the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.engine.stage import DayOutcome, Stage

MOST_PROBLEMS_LOGGED = 50


def outcome_metadata(outcome: DayOutcome, rows: int, problem: str | None) -> dict[str, Any]:
    """The metadata of a day of an asset. `rows`: of its partition; `problem`: why it is not as it should be."""
    return {
        "dagster/partition_row_count": rows,
        "outcome": "computed" if outcome.computed else "unchanged",
        "seconds": round(outcome.seconds, 3),
        **({"fingerprint": f"{outcome.fingerprint:016x}"} if outcome.fingerprint != EXPIRED else {}),
        **({"problem": problem} if problem else {}),
        **outcome.metadata,
    }


def of_made_days(specs: Sequence[dg.AssetSpec], outcomes: Sequence[DayOutcome]) -> Iterator[dg.AssetMaterialization]:
    """What tells of the days that were made in an attempt that fails: the next one finds them unchanged and would not
    know of it.
    """
    for asset in specs:
        for outcome in outcomes:
            metadata = outcome_metadata(outcome, outcome.rows.get(asset.key.path[-1], 0), outcome.problem)
            yield dg.AssetMaterialization(asset.key, partition=outcome.day.isoformat(), metadata=metadata)


def log_outcomes(
    context: dg.AssetExecutionContext, stage: Stage, outcomes: Sequence[DayOutcome], problems: Mapping[date, str | None]
) -> None:
    """A line for all days of a stage, and one for each that has a problem, up to a number."""
    computed = sum(outcome.computed for outcome in outcomes)
    context.log.info(f"{stage.name}: {len(outcomes)} days, {computed} computed, {len(outcomes) - computed} unchanged")
    faulty = [(day, problem) for day, problem in problems.items() if problem]
    for day, problem in faulty[:MOST_PROBLEMS_LOGGED]:
        context.log.warning(f"{stage.name} {day}: {problem}")
    if len(faulty) > MOST_PROBLEMS_LOGGED:
        context.log.warning(
            f"{stage.name}: {len(faulty) - MOST_PROBLEMS_LOGGED} more days have a problem; see `problem` in the metadata of each day"
        )
