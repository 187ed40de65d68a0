"""The pictures of an evaluation, from the committed scores and metrics."""

from collections import OrderedDict
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from ml_assets.core.model.scorer import Scorer
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation

# Drawing takes half a second; the page of a day, its metadata and its entry in the registry all show what is drawn.
MOST_KEPT = 4
_kept: OrderedDict[tuple[str, date, int | None], dict[str, bytes]] = OrderedDict()


def evaluation_plots(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    """PNG bytes by name of the model of one day: ROC and precision-recall curve, calibration, score histogram,
    importance and SHAP of features.
    """
    table = evaluation.tables[evaluation.name]
    key = table.uri, day, table.input_fingerprint(day)
    if key not in _kept:
        _kept[key] = _drawn(evaluation, day)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return _kept[key]


def _drawn(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    model = evaluation.model_row(day)
    scorer, (labels, scores) = evaluation.scorer(model["artifacts"]), evaluation.labelled_scores(day)
    return model_plots(
        scorer,
        model["threshold"],
        labels,
        scores,
        evaluation.overall(day),
        *evaluation.holdout.sample(day, scorer.features),
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
    """The pictures of a model on its holdout.

    Args:
        scorer: the model.
        threshold: the score from which it decides positive.
        labels: 0 or 1 for each labelled row of the holdout.
        scores: the score of each of them.
        overall: metrics of all rows, with value, low and high.
        sample: features of some rows of the holdout, which are explained.
        rows: how many rows the sample is of.
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
