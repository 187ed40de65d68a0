"""Metadata of evaluations in the Dagster UI: problems, metrics and plots."""

from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import BINARY
from ml_assets.pipeline.evaluation.stage import ESTIMATE
from ml_assets.pipeline.steps.check_results import VERDICTS, inline_plot, round_for_people, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml_assets.core.evaluation.gates import GateResult
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation


def evaluation_problem(stage: "ModelEvaluation", day: date) -> str | None:
    """Return why there is nothing to evaluate; None if the day has a model."""
    problem = stage.model_row(day)["problem"]
    return f"no model: {problem}" if problem else None


def evaluation_metadata(stage: "ModelEvaluation", day: date) -> dict[str, Any]:
    """Return the verdict of the gates, the overall metrics of a day as numbers, which the UI plots over time, and a
    note on rows that they leave out.
    """
    overall = [row for row in stage.metric_rows(day) if not row["slice_column"]]
    known = known_positives_note(stage.spec, day) if overall else None
    note = {"known_positives": known} if known else {}
    verdict = {"verdict": describe_verdict(stage.gate_results(day))} if overall else {}
    return verdict | note | {row["metric"]: round_for_people(row["value"]) for row in overall}


def describe_verdict(results: "Sequence[GateResult]") -> str:
    """Say whether a model passes its gates, and name those that it does not pass."""
    if failed := [result.gate for result in results if result.passed is False]:
        return f"does not pass {', '.join(failed)}"
    return "passes its gates" if any(result.passed for result in results) else "no gate was evaluated"


def known_positives_note(spec: ModelSpec, day: date) -> str | None:
    """Describe the rows of the holdout that are left out as known positives; None if there are none."""
    from ml_assets.core.training.time_split import first_known_positives, split_days

    split = split_days(spec, day)
    first = first_known_positives(spec, split)
    if first is None:
        return None
    window = spec.evaluation.known_positives_window
    why = (
        "the first training day: another training window leaves out other rows"
        if window is None
        else f"known_positives_window is {window.days}d"
    )
    return f"rows of entities with a known positive label of {first} or later are left out ({why})"


def plot_metadata(stage: "ModelEvaluation", day: date) -> dict[str, Any]:
    """Return the gates of a day as a table, its plots, inline, and its metrics with intervals and slices as a table."""
    from ml_assets.pipeline.evaluation.plots import evaluation_plots

    metrics = stage.metric_rows(day)
    if not metrics:
        return {}
    plots = evaluation_plots(stage, day)
    inline = [inline_plot(name, plot).md_str or "" for name, plot in plots.items()]
    positives = ("positives",) if stage.spec.task == BINARY else ()
    names = ("metric", *ESTIMATE, "rows", *positives, "slice_column", "slice_value")
    rows = [
        {**{name: row[name] for name in names}, **{name: round_for_people(row[name]) for name in ESTIMATE}}
        for row in metrics
    ]
    gates = table(
        {"gate": result.gate, "verdict": VERDICTS[result.passed], "reason": result.reason}
        for result in stage.gate_results(day)
    )
    return {"gates": gates, "plots": dg.MetadataValue.md("\n\n".join(inline)), "metrics": table(rows)}
