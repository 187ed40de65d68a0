"""Metadata, materializations and log lines of the days of a run."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.counts import count
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.engine.stage import DayOutcome, Stage
from ml_assets.resources.dagster_internals.partition_events import DATA_VERSION_TAG, PartitionVersions

if TYPE_CHECKING:
    from ml_assets.resources.lake.table import Table

MOST_PROBLEMS_LOGGED = 50
WITHOUT_ROWS = "no rows"
"""The data version of a day that was never committed, or whose rows retention removed."""


def outcome_metadata(outcome: DayOutcome, rows: int, problem: str | None) -> dict[str, Any]:
    """Build the metadata of a day of an asset.

    Args:
        outcome: the outcome of the day.
        rows: the number of rows of the partition.
        problem: what is wrong with the day, or None.
    """
    return {
        "dagster/partition_row_count": rows,
        "outcome": describe_outcome(outcome),
        "seconds": round(outcome.seconds, 3),
        **({"fingerprint": f"{outcome.fingerprint:016x}"} if outcome.fingerprint != EXPIRED else {}),
        **({"problem": problem} if problem else {}),
        **outcome.metadata,
    }


def describe_outcome(outcome: DayOutcome) -> str:
    """Return "computed", "unchanged", or "not made" for a day that is not in the lake and has a problem."""
    if outcome.computed:
        return "computed"
    return "not made" if outcome.problem and outcome.fingerprint == EXPIRED else "unchanged"


def data_version(table: "Table", day: date) -> str:
    """Return the data version of a day: the fingerprint of its rows, which stays the same if they come out the same."""
    fingerprint = table.fingerprint(day)
    return WITHOUT_ROWS if fingerprint in (None, EXPIRED) else f"{fingerprint:016x}"


def data_versions(table: "Table", days: Sequence[date]) -> PartitionVersions:
    """Return the data versions of the days of a run."""
    return PartitionVersions({day.isoformat(): data_version(table, day) for day in days})


def materializations_of_days(
    specs: Sequence[dg.AssetSpec], stage: Stage, outcomes: Sequence[DayOutcome]
) -> Iterator[dg.AssetMaterialization]:
    """Record the days that an attempt committed before it failed; the next attempt leaves them unchanged and would not
    record them.
    """
    for asset in specs:
        name = asset.key.path[-1]
        for outcome in outcomes:
            metadata = outcome_metadata(outcome, outcome.rows.get(name, 0), outcome.problem)
            tags = {DATA_VERSION_TAG: data_version(stage.tables[name], outcome.day)}
            yield dg.AssetMaterialization(asset.key, partition=outcome.day.isoformat(), metadata=metadata, tags=tags)


def log_outcomes(
    context: dg.AssetExecutionContext, stage: Stage, outcomes: Sequence[DayOutcome], problems: Mapping[date, str | None]
) -> None:
    """Log one line for all days of a stage, and one for each of the first 50 days with a problem."""
    computed = sum(outcome.computed for outcome in outcomes)
    context.log.info(
        f"{stage.name}: {count(len(outcomes), 'day')}, {computed} computed, {len(outcomes) - computed} unchanged"
    )
    with_problem = [(day, problem) for day, problem in problems.items() if problem]
    for day, problem in with_problem[:MOST_PROBLEMS_LOGGED]:
        context.log.warning(f"{stage.name} {day}: {problem}")
    if len(with_problem) > MOST_PROBLEMS_LOGGED:
        context.log.warning(
            f"{stage.name}: {len(with_problem)} days have a problem in all; see `problem` in the metadata of each day"
        )
