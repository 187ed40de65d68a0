"""The cost of the days that a step made, appended to the table `stage_costs`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.stage_costs import MadeDay, reserve, share_costs
from ml_assets.pipeline.asset_names import MODEL, SEARCH, STAGE_COSTS, landed_to_features
from ml_assets.pipeline.engine.stage import DayOutcome, Stage
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.monitoring.append_only_table import AppendOnlyTable
from ml_assets.resources.observability.usage import UsageMeter, is_in_pod

if TYPE_CHECKING:
    from ml_assets.resources.lake.table import Table

TRAINING = (MODEL, SEARCH)


def open_costs(spec: ModelSpec, lake: Lake) -> AppendOnlyTable:
    """Open the table of the costs of a model."""
    from ml_assets.core.tables.monitoring_schemas import STAGE_COST_SCHEMA

    return AppendOnlyTable(lake, spec.name, STAGE_COSTS, STAGE_COST_SCHEMA)


def record_costs(
    context: dg.AssetExecutionContext,
    spec: ModelSpec,
    stage: Stage,
    outcomes: Sequence[DayOutcome],
    meter: UsageMeter,
) -> None:
    """Record the cost of the days that a step made. A failure is a warning in the log of the run.

    Args:
        context: of the step.
        spec: the model.
        stage: the stage whose days were made.
        outcomes: of all days; those that were left as they were cost nothing that counts.
        meter: started with the step.
    """
    made = [outcome for outcome in outcomes if outcome.computed]
    if not made:
        return
    try:
        import pyarrow as pa

        sizes = bytes_of_days(stage.tables.values(), made)
        days = [
            MadeDay(outcome.day, outcome.seconds, sum(outcome.rows.values()), sizes.get(outcome.day, 0))
            for outcome in made
        ]
        trains = stage.name in TRAINING
        has_workers = (
            spec.training.engine == "dask"
            if trains
            else spec.compute.dask is not None and stage.name in landed_to_features(spec) and len(outcomes) > 1
        )
        reservation = reserve(spec, trains, has_workers, is_in_pod())
        rows = share_costs(stage.name, context.run_id, datetime.now(UTC), days, meter.read(), reservation)
        table = open_costs(spec, context.resources.lake)
        table.append(pa.Table.from_pylist(rows, table.schema))
    except Exception as error:
        context.log.warning(f"the cost of this step could not be recorded: {type(error).__name__}: {error}")


def bytes_of_days(tables: "Iterable[Table]", outcomes: Sequence[DayOutcome]) -> Mapping[date, int]:
    """Return the bytes of the files of the days that were computed, in some tables of a stage."""
    from ml_assets.resources.lake.table_files import bytes_by_day

    computed = [outcome.day for outcome in outcomes if outcome.computed]
    sizes = [bytes_by_day(table.delta) for table in tables] if computed else []
    return {day: sum(by_day.get(day, 0) for by_day in sizes) for day in computed}
