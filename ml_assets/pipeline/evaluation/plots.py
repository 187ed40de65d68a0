"""Plots of an evaluation, from the committed scores and metrics."""

from datetime import date
from typing import TYPE_CHECKING

from ml_assets.pipeline.steps.report_store import Reports, fingerprint_entry

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from ml_assets.core.model.scorer import Scorer
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation

PLOTS = (
    "roc_curve",
    "precision_recall",
    "calibration",
    "score_histogram",
    "feature_importance",
    "feature_contributions",
)


def evaluation_plots(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    """Take the plots of the model of one day from its daily report, or draw them.

    The report of a day, its metadata and its registry entry show the same plots, in this process or in others.

    Returns:
        SVG bytes by name: ROC and precision-recall curve, calibration, score histogram, importance and SHAP of
        features.
    """
    table = evaluation.tables[evaluation.name]
    kept = Reports(evaluation.spec.name, evaluation.lake).plots(day, evaluation.name, fingerprint_entry(table, day))
    return {name: kept[name] for name in PLOTS} if kept.keys() >= set(PLOTS) else _draw(evaluation, day)


def _draw(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    model = evaluation.model_row(day)
    scorer = evaluation.scorer(model["artifacts"])
    labels, scores = evaluation.labelled_scores(day)
    return model_plots(
        scorer,
        model["threshold"],
        labels,
        scores,
        evaluation.overall(day),
        *evaluation.holdout.sample_features(day, scorer.features),
    )


def model_plots(
    scorer: "Scorer",
    threshold: float,
    labels: "ArrayLike",
    scores: "ArrayLike",
    overall: "pd.DataFrame",
    sample: "pd.DataFrame",
    rows: int,
) -> dict[str, bytes]:
    """Draw the plots of a model on its holdout.

    Args:
        scorer: the model.
        threshold: the lowest score that the model classifies as positive.
        labels: 0 or 1 for each labelled row of the holdout.
        scores: the score of each of them.
        overall: metrics of all rows, with value, low and high.
        sample: features of some rows of the holdout, which are explained.
        rows: number of rows that the sample was drawn from.

    Returns:
        SVG bytes by name.
    """
    from ml_assets.core.plots import evaluation as plots
    from ml_assets.core.plots.shap import contribution_plot

    by_metric = overall.set_index("metric")
    estimate = {metric: (row["value"], row["low"], row["high"]) for metric, row in by_metric.iterrows()}
    return {
        "roc_curve": plots.roc_curve_plot(labels, scores, threshold, estimate["roc_auc"]),
        "precision_recall": plots.precision_recall_plot(labels, scores, threshold, estimate["average_precision"]),
        "calibration": plots.calibration_plot(labels, scores, estimate["brier_score"]),
        "score_histogram": plots.score_histogram_plot(labels, scores, threshold),
        "feature_importance": plots.importance_plot(scorer.importances()),
        "feature_contributions": contribution_plot(scorer.contributions(sample)[:, :-1], sample, scorer.features, rows),
    }
