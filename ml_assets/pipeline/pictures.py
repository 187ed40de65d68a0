"""The pictures of an evaluation, from the committed scores and metrics."""

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation import ModelEvaluation


def evaluation_pictures(evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    """PNG bytes by name: ROC curve, precision-recall curve, calibration, score histogram and feature importance of the model of one day."""
    return _drawn(evaluation, day, evaluation.tables[evaluation.name].fingerprint(day))


# Drawing takes a second; the page of a day and its metadata both show what is drawn.
@lru_cache(maxsize=1)
def _drawn(evaluation: "ModelEvaluation", day: date, fingerprint: int | None) -> dict[str, bytes]:
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
