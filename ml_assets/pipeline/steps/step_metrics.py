"""What a step tells the outside of itself when its days are made: metrics, where they are asked for; never at the price
of the step.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.operations.step_metrics import (
    DayFigures,
    Sample,
    sample_of_failure,
    samples_of_days,
    samples_of_gates,
    samples_of_model,
)
from ml_assets.pipeline.asset_names import EVALUATION
from ml_assets.resources.observability.telemetry import push, telemetry_is_on

if TYPE_CHECKING:
    from ml_assets.pipeline.engine.stage import DayOutcome, Stage
    from ml_assets.pipeline.steps.check_results import CheckRun


def push_metrics(
    context: dg.AssetExecutionContext,
    model: str,
    stage: "Stage",
    outcomes: "Sequence[DayOutcome]",
    judged: "Sequence[CheckRun]",
    metrics_of_newest: Callable[[], Mapping[str, Any]],
) -> None:
    """Push the metrics of a step. What fails is a warning in the run's log.

    Args:
        context: of the step.
        model: name of the model.
        stage: the stage whose days were made.
        outcomes: of each day, ascending.
        judged: what the checks of the stage found.
        metrics_of_newest: metadata of the newest day; asked for of an evaluation only, where they are the metrics of
            the model.
    """
    if not telemetry_is_on() or not outcomes:
        return
    try:
        samples = samples_of_days(
            model, stage.name, [_figures(outcome) for outcome in outcomes], _bytes(context, model, stage, outcomes)
        )
        samples += _queue_time(context, model)
        if stage.name == EVALUATION:
            samples += samples_of_gates(model, [_gate(one) for one in judged if one.name.startswith("gate_")])
            samples += samples_of_model(model, metrics_of_newest())
        push(samples)
    except Exception as error:
        context.log.warning(f"the metrics of this step could not be sent: {type(error).__name__}: {error}")


def push_failure(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, step: str, cause: str, another_follows: bool
) -> None:
    """Push that an attempt of a step failed; see `core.step_metrics.sample_of_failure`. What fails is a warning in the
    run's log.
    """
    if not telemetry_is_on():
        return
    try:
        push([sample_of_failure(step, cause, another_follows)])
    except Exception as error:
        context.log.warning(f"the failure of this step could not be sent as a metric: {type(error).__name__}: {error}")


def _figures(outcome: "DayOutcome") -> DayFigures:
    return DayFigures(
        outcome.day,
        outcome.seconds,
        sum(outcome.rows.values()) if outcome.computed else 0,
        outcome.computed,
        bool(outcome.problem),
    )


def _bytes(context: dg.AssetExecutionContext, model: str, stage: "Stage", outcomes: "Sequence[DayOutcome]") -> int:
    made = [outcome.day for outcome in outcomes if outcome.computed]
    if not made:
        return 0
    lake = context.resources.lake
    sizes = [lake.bytes_by_day(model, name) for name in stage.tables]
    return sum(of_table.get(day, 0) for of_table in sizes for day in made)


def _gate(judged: "CheckRun") -> tuple[str, bool | None, object]:
    newest = max(
        (found for found in judged.outcomes if found.passed is not None), key=lambda found: found.day, default=None
    )
    return judged.name.removeprefix("gate_"), newest.passed if newest else None, judged.metadata.get("value")


def _queue_time(context: dg.AssetExecutionContext, model: str) -> list[Sample]:
    """How long the run waited; nothing of one that never was in a queue."""
    record = context.instance.get_run_record_by_id(context.run_id)
    if record is None or record.start_time is None:
        return []
    waited = max(record.start_time - record.create_timestamp.timestamp(), 0.0)
    return [Sample("ml_assets.run.queue_time", waited, {"model": model, "job": context.job_name})]
