"""The pictures of an evaluation, from the committed scores and metrics."""

from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.spec import ModelSpec

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation import ModelEvaluation


def evaluation_pictures(spec: ModelSpec, evaluation: "ModelEvaluation", day: date) -> dict[str, bytes]:
    """PNG bytes by name: ROC curve, precision-recall curve, calibration and feature importance of the model of one day."""
    raise NotImplementedError
