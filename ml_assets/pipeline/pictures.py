"""The pictures of an evaluation, from the committed scores and metrics."""

from collections import OrderedDict
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from ml_assets.core.scorer import Scorer
    from ml_assets.pipeline.evaluation import ModelEvaluation

# Drawing takes half a second; the page of a day, its metadata and its entry in the registry all show what is drawn.
MOST_KEPT = 4
_kept: OrderedDict[tuple[str, date, int | None], dict[str, bytes]] = OrderedDict()


def evaluation_pictures(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    """PNG bytes by name of the model of one day: ROC and precision-recall curve, calibration, score histogram, importance and SHAP of features."""
    table = evaluation.tables[evaluation.name]
    key = table.uri, day, table.recipe(day)
    if key not in _kept:
        _kept[key] = _drawn(evaluation, day)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return _kept[key]


def _drawn(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    model = evaluation.model_row(day)
    scorer, (labels, scores) = evaluation.scorer(model["artifacts"]), evaluation.labelled_scores(day)
    return model_pictures(scorer, model["threshold"], labels, scores, evaluation.overall(day), *evaluation.holdout.sample(day, scorer.features))


def model_pictures(
    scorer: "Scorer", threshold: float, labels: "ArrayLike", scores: "ArrayLike", overall: "pd.DataFrame", sample: "pd.DataFrame", rows: int
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
    from ml_assets.core import pictures
    from ml_assets.core.contribution_picture import contribution_picture

    by_metric = overall.set_index("metric")
    estimate = {metric: (row["value"], row["low"], row["high"]) for metric, row in by_metric.iterrows()}
    return {
        "roc_curve": pictures.roc_curve_picture(labels, scores, threshold, estimate["roc_auc"]),
        "precision_recall": pictures.precision_recall_picture(labels, scores, threshold, estimate["average_precision"]),
        "calibration": pictures.calibration_picture(labels, scores, estimate["brier_score"]),
        "score_histogram": pictures.score_histogram_picture(labels, scores, threshold),
        "feature_importance": pictures.importance_picture(scorer.importances()),
        "feature_contributions": contribution_picture(scorer.contributions(sample)[:, :-1], sample, scorer.features, rows),
    }
