"""Metrics that a step pushes over OTLP, if telemetry is on; a failed push never fails the step."""

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
from ml_assets.pipeline.observability.step_costs import bytes_of_days
from ml_assets.resources.observability.telemetry import is_telemetry_enabled, push

if TYPE_CHECKING:
    from ml_assets.pipeline.engine.stage import DayOutcome, Stage
    from ml_assets.pipeline.steps.check_results import CheckRun


def push_metrics(
    context: dg.AssetExecutionContext,
    model: str,
    stage: "Stage",
    outcomes: "Sequence[DayOutcome]",
    check_runs: "Sequence[CheckRun]",
    metrics_of_newest: Callable[[], Mapping[str, Any]],
) -> None:
    """Push the metrics of a step. A failed push is a warning in the log of the run.

    Args:
        context: the execution context of the step.
        model: name of the model.
        stage: the stage whose days were computed.
        outcomes: the outcome of each day, ascending.
        check_runs: the checks of the stage on these days.
        metrics_of_newest: returns the metadata of the newest day; called only for an evaluation, whose metadata are the
            metrics of the model.
    """
    if not is_telemetry_enabled() or not outcomes:
        return
    try:
        samples = samples_of_days(
            model,
            stage.name,
            [_figures(outcome) for outcome in outcomes],
            sum(bytes_of_days(stage.tables.values(), outcomes).values()),
        )
        samples += _queue_time(context, model)
        if stage.name == EVALUATION:
            samples += samples_of_gates(model, [_gate(run) for run in check_runs if run.name.startswith("gate_")])
            samples += samples_of_model(model, metrics_of_newest())
        push(samples)
    except Exception as error:
        context.log.warning(f"the metrics of this step could not be sent: {type(error).__name__}: {error}")


def push_failure(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, step: str, cause: str, another_follows: bool
) -> None:
    """Push that an attempt of a step failed, see `sample_of_failure`. A failed push is a warning in the run's log."""
    if not is_telemetry_enabled():
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


def _gate(run: "CheckRun") -> tuple[str, bool | None, object]:
    """Return the name of a gate, its newest verdict, and its value."""
    evaluated = (outcome for outcome in run.outcomes if outcome.passed is not None)
    newest = max(evaluated, key=lambda outcome: outcome.day, default=None)
    return run.name.removeprefix("gate_"), newest.passed if newest else None, run.metadata.get("value")


def _queue_time(context: dg.AssetExecutionContext, model: str) -> list[Sample]:
    """Measure how long the run waited in the queue; empty for a run that did not start."""
    record = context.instance.get_run_record_by_id(context.run_id)
    if record is None or record.start_time is None:
        return []
    waited = max(record.start_time - record.create_timestamp.timestamp(), 0.0)
    return [Sample("ml_assets.run.queue_time", waited, {"model": model, "job": context.job_name})]
