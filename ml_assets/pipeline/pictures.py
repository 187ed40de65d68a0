"""The pictures of an evaluation, from the committed scores and metrics."""

from collections import OrderedDict
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation import ModelEvaluation

# Drawing takes half a second; the page of a day, its metadata and its entry in the registry all show what is drawn.
MOST_KEPT = 4
_kept: OrderedDict[tuple[str, date, int | None], dict[str, bytes]] = OrderedDict()


def evaluation_pictures(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    """PNG bytes by name: ROC curve, precision-recall curve, calibration, score histogram and feature importance of the model of one day."""
    table = evaluation.tables[evaluation.name]
    key = table.uri, day, table.recipe(day)
    if key not in _kept:
        _kept[key] = _drawn(evaluation, day)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return _kept[key]


def _drawn(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    from ml_assets.core import pictures

    model = evaluation.model_row(day)
    threshold, scorer = model["threshold"], evaluation.scorer(model["artifacts"])
    labels, scores = evaluation.labelled_scores(day)
    overall = evaluation.overall(day).set_index("metric")
    estimate = {metric: (row["value"], row["low"], row["high"]) for metric, row in overall.iterrows()}
    return {
        "roc_curve": pictures.roc_curve_picture(labels, scores, threshold, estimate["roc_auc"]),
        "precision_recall": pictures.precision_recall_picture(labels, scores, threshold, estimate["average_precision"]),
        "calibration": pictures.calibration_picture(labels, scores, estimate["brier_score"]),
        "score_histogram": pictures.score_histogram_picture(labels, scores, threshold),
        "feature_importance": pictures.importance_picture(scorer.importances()),
    }
