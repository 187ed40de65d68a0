"""The steps of `benchmarks.peers.steps` as Dagster assets, with the remedies that Dagster has itself.

    DAGSTER_HOME=... python -m benchmarks.peers.dagster_job LANDING OUT FIRST [LAST]

A range of days is one run (`BackfillPolicy.single_run`) in one process (`materialize`), from file to file without an
I/O manager, on Dagster's own SQLite storages.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import dagster as dg

from benchmarks.peers.steps import STEPS

START, END = "2025-01-01", "2026-01-01"


def build_assets(landing: Path, out: Path) -> list[dg.AssetsDefinition]:
    """Build an asset for each step, each after the one before."""
    assets: list[dg.AssetsDefinition] = []
    for step in STEPS:
        assets.append(build_asset(step, landing, out, assets[-1:]))
    return assets


def build_asset(
    step: Callable[[Path, Path, str], None], landing: Path, out: Path, deps: Sequence[dg.AssetsDefinition]
) -> dg.AssetsDefinition:
    """Build the asset of a step: all days of a run, one after the other."""

    @dg.asset(
        name=step.__name__,
        deps=deps,
        partitions_def=dg.DailyPartitionsDefinition(START, end_date=END),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def compute(context: dg.AssetExecutionContext) -> None:
        for day in context.partition_keys:
            step(landing, out, day)

    return compute


def main(landing: str, out: str, first: str, last: str | None = None) -> None:
    """Materialize all assets of a day, or of a range of days."""
    tags = {"dagster/partition": first}
    if last is not None:
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    with dg.DagsterInstance.get() as instance:
        assert dg.materialize(build_assets(Path(landing), Path(out)), instance=instance, tags=tags).success


if __name__ == "__main__":
    main(*sys.argv[1:])
