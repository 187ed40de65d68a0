"""Gates as blocking checks of the evaluation: a model that fails one is not registered."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.evaluation.gates import CHAMPION, describe_bounds
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.metric_names import IN_UNIT_OF_TARGET
from ml_assets.core.model_spec.types.task import BINARY
from ml_assets.core.release.release_differences import summarize
from ml_assets.pipeline.steps.check_results import CheckRun
from ml_assets.pipeline.training.due_days import why_no_model

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation


def gate_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify one check for each gate of the spec, for the bounds of each gate on slices, and for the champion."""
    descriptions = {
        f"gate_{metric}": f"{metric} on the holdout: {describe_bounds(gate.minimum, gate.maximum)}"
        for metric, gate in spec.gates.items()
    }
    for metric, gate in spec.gates.items():
        if gate.has_slice_bounds():
            evaluation = spec.evaluation
            enough = (
                f"{evaluation.slice_min_positives} positives"
                if spec.task == BINARY
                else f"{evaluation.slice_min_rows} rows"
            )
            slices = f"{', '.join(evaluation.slices)} with {enough} or more"
            descriptions[f"gate_{metric}_slices"] = (
                f"{metric} on each slice of {slices}: {describe_bounds(*gate.slice_bounds())}"
            )
    if spec.champion is not None:
        margin = (
            f"{spec.champion.metric} on the same holdout rows, surely not worse by more than {spec.champion.margin:g}"
            + (" of the champion's value" if spec.champion.metric in IN_UNIT_OF_TARGET else "")
        )
        descriptions[f"gate_{CHAMPION}"] = f"Against the champion of the release ledger: {margin}"
    return [
        dg.AssetCheckSpec(name, asset=key, description=description, blocking=True)
        for name, description in descriptions.items()
    ]


def evaluate_gate_checks(stage: "ModelEvaluation", days: Sequence[date], key: dg.AssetKey) -> Iterator[CheckRun]:
    """Evaluate each gate on some days; a day without a model is not evaluated."""
    problems = {day: why_no_model(row) for day in days if not (row := stage.evaluated_model(day))["model_digest"]}
    gate_results = {
        day: {f"gate_{result.gate}": result for result in stage.gate_results(day)}
        for day in days
        if day not in problems
    }
    for check in gate_checks(stage.spec, key):
        missing = [CheckOutcome(check.name, day, None, problem) for day, problem in problems.items()]
        evaluated = [
            replace(result.outcome(day), figures={"value": result.value} if result.value is not None else {})
            for day, results in gate_results.items()
            for result in [results[check.name]]
        ]
        yield CheckRun(key, check.name, [*missing, *evaluated])


def complete_gate_check(
    run: CheckRun, days_with_model: Collection[date], newest: date, is_none_due: bool = False
) -> CheckRun:
    """Complete a gate over all days of a run, with its value on the newest day that has a model.

    In a run without any model each gate fails as a warning, which stops nothing: there is no model to register. If no
    model was due on any day of the run, the gate is not evaluated.
    """
    if is_none_due:
        return run
    if not days_with_model:
        return replace(run, outcomes=[CheckOutcome(run.name, newest, False, "no day of the run has a model", "warn")])
    newest_with_model = max(days_with_model)
    figures = next((outcome.figures for outcome in run.outcomes if outcome.day == newest_with_model), {})
    return replace(run, metadata=dict(figures))


def add_registry_differences(run: CheckRun, stage: "ModelEvaluation", days: Collection[date]) -> CheckRun:
    """Add to the remark on the comparison with the champion how MLflow differs from the release ledger, if this run
    evaluated a day.
    """
    if not days or run.name != f"gate_{CHAMPION}" or not (differences := summarize(stage.champion_differences())):
        return run
    outcomes = [replace(outcome, remark=differences) if outcome.day in days else outcome for outcome in run.outcomes]
    return replace(run, outcomes=outcomes)
