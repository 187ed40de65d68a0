"""The cost of the days that a step made, appended to the table `stage_costs`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.stage_costs import MadeDay, Start, reserve, share_costs
from ml_assets.pipeline.asset_names import MODEL, SEARCH, STAGE_COSTS, landed_to_features
from ml_assets.pipeline.engine.stage import DayOutcome, Stage
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.monitoring.measurement_table import MAX_FILES, MeasurementTable
from ml_assets.resources.observability.usage import UsageMeter, is_in_pod

if TYPE_CHECKING:
    from ml_assets.resources.lake.table import Table

TRAINING = (MODEL, SEARCH)
KEPT = timedelta(days=730)
"""Age at which costs are removed."""


def open_costs(spec: ModelSpec, lake: Lake) -> MeasurementTable:
    """Open the table of the costs of a model."""
    from ml_assets.core.tables.monitoring_schemas import STAGE_COST_SCHEMA

    return MeasurementTable(lake, spec.name, STAGE_COSTS, STAGE_COST_SCHEMA, "measured_at")


def record_costs(
    context: dg.AssetExecutionContext,
    spec: ModelSpec,
    stage: Stage,
    outcomes: Sequence[DayOutcome],
    meter: UsageMeter,
) -> None:
    """Record the cost of the days that a step made. A failure is a warning in the log of the run.

    Args:
        context: the execution context of the step.
        spec: the model.
        stage: the stage whose days were computed.
        outcomes: the outcomes of all days; unchanged days are not charged.
        meter: the usage meter that was started with the step.
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
        usage, now, step = meter.read(), datetime.now(UTC), str(context.op_handle)
        start = measure_start(context.instance, context.run_id, step, meter.began_at) if is_in_pod() else Start()
        if start.seconds:
            # In a pod, the whole process belongs to the step.
            usage = replace(usage, cpu_seconds=usage.cpu_seconds + meter.cpu_seconds_before)
        rows = share_costs(stage.name, context.run_id, now, days, usage, reservation, start)
        table = open_costs(spec, context.resources.lake)
        if table.append(pa.Table.from_pylist(rows, table.schema)) > MAX_FILES:
            table.compact(now - KEPT)
    except Exception as error:
        context.log.warning(f"the cost of this step could not be recorded: {type(error).__name__}: {error}")


def measure_start(instance: dg.DagsterInstance, run_id: str, step: str, began_at: float) -> Start:
    """Measure how long a run waited in the queue, and a step for its pod and the imports of its process.

    Args:
        instance: the Dagster instance.
        run_id: the run.
        step: key of the step.
        began_at: when the step began, in seconds since 1970.
    """
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_WORKER_STARTING)
    # Each attempt has its own event.
    launched = [entry.timestamp for entry in entries if entry.step_key == step and entry.timestamp <= began_at]
    record = instance.get_run_record_by_id(run_id)
    queued = 0.0
    if record is not None and record.start_time is not None:
        queued = max(record.start_time - record.create_timestamp.timestamp(), 0.0)
    return Start(began_at - max(launched, default=began_at), queued)


def bytes_of_days(tables: "Iterable[Table]", outcomes: Sequence[DayOutcome]) -> Mapping[date, int]:
    """Return the bytes of the files of the days that were computed, in some tables of a stage."""
    from ml_assets.resources.lake.table_files import bytes_by_day

    computed = [outcome.day for outcome in outcomes if outcome.computed]
    sizes = [bytes_by_day(table.delta) for table in tables] if computed else []
    return {day: sum(by_day.get(day, 0) for by_day in sizes) for day in computed}
