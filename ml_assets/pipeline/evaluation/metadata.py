"""Metadata of evaluations in the Dagster UI: problems, metrics and plots."""

from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.pipeline.steps.check_results import inline_plot, table

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation


def evaluation_problem(stage: "ModelEvaluation", day: date) -> str | None:
    """Return why there is nothing to evaluate; None if the day has a model."""
    problem = stage.model_row(day)["problem"]
    return f"no model: {problem}" if problem else None


def evaluation_metadata(stage: "ModelEvaluation", day: date) -> dict[str, Any]:
    """Return the overall metrics of a day as numbers, which the UI plots over time."""
    overall = stage.overall(day)
    return {name: round(float(value), 6) for name, value in zip(overall["metric"], overall["value"], strict=True)}


def plot_metadata(stage: "ModelEvaluation", day: date) -> dict[str, Any]:
    """Return the plots of the evaluation of a day, inline, and its metrics with intervals and slices as a table."""
    from ml_assets.pipeline.evaluation.plots import evaluation_plots

    metrics = stage.metrics(day)
    if metrics.empty:
        return {}
    plots = evaluation_plots(stage, day)
    inline = [inline_plot(name, png).md_str or "" for name, png in plots.items()]
    rows = metrics[["metric", "value", "low", "high", "rows", "positives", "slice_column", "slice_value"]].round(4)
    return {"plots": dg.MetadataValue.md("\n\n".join(inline)), "metrics": table(rows.to_dict("records"))}
