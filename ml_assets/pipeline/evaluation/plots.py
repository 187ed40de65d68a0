"""Plots of an evaluation, from the committed scores and metrics."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, REGRESSION, Outputs, column_part
from ml_assets.core.training.time_split import split_days
from ml_assets.pipeline.steps.report_store import Reports, fingerprint_entry

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.metrics.scored_rows import ScoredRows, TaskMetrics
    from ml_assets.core.model.scorer import Scorer
    from ml_assets.pipeline.evaluation.holdout import Holdout
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation

Estimates = Mapping[str, tuple[float, float, float]]
MOST_EXPLAINED_CLASSES = 6
OF_FEATURES = ("feature_importance", "feature_contributions")
_PLOTS = {
    BINARY: ("roc_curve", "precision_recall", "calibration", "score_histogram"),
    REGRESSION: ("predicted_against_actual", "residuals", "error_by_decile"),
    MULTICLASS: ("confusion_matrix", "class_calibration", "class_metrics"),
}


def plot_names(outputs: Outputs) -> tuple[str, ...]:
    """Return the names of the plots of a model."""
    coverage = ("quantile_coverage",) if outputs.quantiles else ()
    of_classes = [f"feature_contributions_{name}" for name in _explained_classes(outputs)]
    return (*_PLOTS[outputs.task], *coverage, *OF_FEATURES, *of_classes)


def _explained_classes(outputs: Outputs) -> list[str]:
    """Return the names of the classes whose SHAP values are plotted: the first of them."""
    return [column_part(label) for label in outputs.classes[:MOST_EXPLAINED_CLASSES]]


def evaluation_plots(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    """Take the plots of the model of one day from its daily report, or draw them.

    The report of a day, its metadata and its registry entry show the same plots, in this process or in others.

    Returns:
        SVG bytes by name, see `plot_names`.
    """
    table, names = evaluation.tables[evaluation.name], plot_names(evaluation.spec.outputs)
    kept = Reports(evaluation.spec.name, evaluation.lake).plots(day, evaluation.name, fingerprint_entry(table, day))
    return {name: kept[name] for name in names} if kept.keys() >= set(names) else _draw(evaluation, day)


def _draw(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    from ml_assets.core.metrics.scored_rows import task_metrics

    model = evaluation.model_row(day)
    scorer = evaluation.scorer(model["artifacts"])
    return model_plots(
        scorer,
        model["threshold"],
        task_metrics(evaluation.spec),
        evaluation.labelled_rows(day),
        evaluation.overall(day),
        *sample_features(evaluation.holdout, day, scorer.features),
    )


def sample_features(holdout: "Holdout", day: date, names: Sequence[str]) -> "tuple[pd.DataFrame, int]":
    """Read features of a sample of the rows of the holdout, with one day in memory at a time.

    Args:
        holdout: the holdouts of the models.
        day: the day of the model.
        names: names of the features.

    Returns:
        The features of the rows that `sampled_rows` chooses, and the number of rows of the holdout.
    """
    import pandas as pd

    from ml_assets.core.plots.shap import sampled_rows
    from ml_assets.core.tables.schemas import to_pandas

    table, days = holdout.rows.table, split_days(holdout.spec, day).holdout
    counts = table.row_counts()
    rows = sum(counts.get(holdout_day, 0) for holdout_day in days)
    sampled = sampled_rows(rows, holdout.spec.training.seed)
    begin = 0
    parts = []
    for holdout_day in days:
        end = begin + counts.get(holdout_day, 0)
        positions = sampled[(sampled >= begin) & (sampled < end)] - begin
        parts.append(to_pandas(table.read([holdout_day], list(names))).iloc[positions])
        begin = end
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True), rows


def model_plots(
    scorer: "Scorer",
    threshold: float | None,
    task: "TaskMetrics",
    rows: "ScoredRows",
    overall: "pd.DataFrame",
    sample: "pd.DataFrame",
    sampled_from: int,
) -> dict[str, bytes]:
    """Draw the plots of a model on its holdout.

    Args:
        scorer: the model.
        threshold: the lowest score that the model classifies as positive; None unless the task is binary.
        task: the metrics of the task.
        rows: the labelled rows of the holdout.
        overall: metrics of all rows, with value, low and high.
        sample: features of some rows of the holdout, which are explained.
        sampled_from: number of rows that the sample was drawn from.

    Returns:
        SVG bytes by name.
    """
    from ml_assets.core.plots.evaluation import importance_plot
    from ml_assets.core.plots.shap import contribution_plot

    by_metric = overall.set_index("metric")
    estimates = {str(metric): (row["value"], row["low"], row["high"]) for metric, row in by_metric.iterrows()}
    if task.is_binary:
        drawn = _binary_plots(threshold, rows, estimates)
    elif task.task == REGRESSION:
        drawn = _regression_plots(task, rows, estimates)
    else:
        drawn = _class_plots(task, rows, estimates)
    draw = partial(contribution_plot, frame=sample, features=scorer.features, rows=sampled_from)
    unit = "log odds" if task.is_binary else "margin of the prediction"
    by_class = scorer.contributions_by_prediction(sample) if task.task == MULTICLASS else None
    return {
        **drawn,
        "feature_importance": importance_plot(scorer.importances()),
        "feature_contributions": draw(scorer.contributions(sample)[:, :-1], unit=unit),
        **{
            f"feature_contributions_{name}": draw(by_class[:, position, :-1], unit=f"logit of {name}")
            for position, name in enumerate(_explained_classes(task.outputs))
            if by_class is not None
        },
    }


def _binary_plots(threshold: float | None, rows: "ScoredRows", estimates: Estimates) -> dict[str, bytes]:
    from ml_assets.core.plots import evaluation as plots

    assert threshold is not None
    labels, scores = rows.targets, rows.predictions
    return {
        "roc_curve": plots.roc_curve_plot(labels, scores, threshold, estimates["roc_auc"]),
        "precision_recall": plots.precision_recall_plot(labels, scores, threshold, estimates["average_precision"]),
        "calibration": plots.calibration_plot(labels, scores, estimates["brier_score"]),
        "score_histogram": plots.score_histogram_plot(labels, scores, threshold),
    }


def _regression_plots(task: "TaskMetrics", rows: "ScoredRows", estimates: Estimates) -> dict[str, bytes]:
    from ml_assets.core.plots import regression as plots

    targets, predictions = rows.targets, rows.predictions[:, 0]
    drawn = {
        "predicted_against_actual": plots.predicted_against_actual_plot(targets, predictions, estimates["r2"]),
        "residuals": plots.residuals_plot(targets, predictions, estimates["mean_bias"]),
        "error_by_decile": plots.error_by_decile_plot(targets, predictions, estimates["mae"]),
    }
    if levels := task.outputs.quantiles:
        quantiles = dict(zip(levels, rows.predictions.T[1:], strict=True))
        drawn["quantile_coverage"] = plots.quantile_coverage_plot(targets, quantiles, estimates["pinball_loss"])
    return drawn


def _class_plots(task: "TaskMetrics", rows: "ScoredRows", estimates: Estimates) -> dict[str, bytes]:
    from ml_assets.core.plots import multiclass as plots

    labels = [str(label) for label in task.outputs.classes]
    predicted = rows.predictions.argmax(axis=1) if len(rows.targets) else rows.targets
    by_class = {
        label: (estimates[f"precision_{name}"], estimates[f"recall_{name}"])
        for label, name in zip(labels, task.class_names, strict=True)
    }
    return {
        "confusion_matrix": plots.confusion_matrix_plot(rows.targets, predicted, labels, estimates["accuracy"]),
        "class_calibration": plots.class_calibration_plot(
            rows.targets, rows.predictions, labels, estimates["log_loss"]
        ),
        "class_metrics": plots.class_metrics_plot(by_class),
    }
