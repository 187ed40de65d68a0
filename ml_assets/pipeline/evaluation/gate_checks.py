"""The gates of a model as blocking checks of its evaluation: a model that fails one is not registered."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.evaluation.gates import CHAMPION, describe_bounds
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.steps.check_results import CheckRun

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation


def gate_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """One check for each gate of the spec, one for its bounds of slices, and one for the champion."""
    about = {
        f"gate_{metric}": f"{metric} on the holdout: {describe_bounds(gate.minimum, gate.maximum)}"
        for metric, gate in spec.gates.items()
    }
    for metric, gate in spec.gates.items():
        if gate.has_slice_bounds():
            of = f"{', '.join(spec.evaluation.slices)} with {spec.evaluation.slice_min_positives} positives or more"
            about[f"gate_{metric}_slices"] = f"{metric} on each slice of {of}: {describe_bounds(*gate.slice_bounds())}"
    if spec.champion is not None:
        margin = (
            f"{spec.champion.metric} on the same holdout rows, surely not worse by more than {spec.champion.margin:g}"
        )
        about[f"gate_{CHAMPION}"] = f"Against the model that the alias champion points to: {margin}"
    return [
        dg.AssetCheckSpec(name, asset=key, description=description, blocking=True)
        for name, description in about.items()
    ]


def evaluate_gate_checks(stage: "ModelEvaluation", days: Sequence[date], key: dg.AssetKey) -> Iterator[CheckRun]:
    """What each gate finds on the days of a run: nothing to judge on a day without a model.

    In a run without any model it fails as a warning, which stops nothing: there is nothing that could be registered.
    """
    problems = {day: row["problem"] for day in days if not (row := stage.model_row(day))["model_digest"]}
    gate_results = {
        day: {f"gate_{result.gate}": result for result in stage.gate_results(day)}
        for day in days
        if day not in problems
    }
    for check in gate_checks(stage.spec, key):
        if not gate_results:
            yield CheckRun(
                key, check.name, [CheckOutcome(check.name, days[-1], False, "no day of the run has a model", "warn")]
            )
            continue
        missing = [CheckOutcome(check.name, day, None, f"no model: {problem}") for day, problem in problems.items()]
        found = [of_day[check.name].outcome(day) for day, of_day in gate_results.items()]
        newest = gate_results[max(gate_results)][check.name]
        yield CheckRun(
            key, check.name, [*missing, *found], metadata={"value": newest.value} if newest.value is not None else {}
        )
