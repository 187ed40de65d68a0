"""XGBoost's metric aucpr, for many scorings of the same rows."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


class PrCurveArea:
    """The area under the precision-recall curve of rows with fixed labels, as XGBoost's `aucpr` computes it.

    Between two distinct scores, precision is interpolated (Davis and Goadrich, The Relationship Between
    Precision-Recall and ROC Curves, 2006). Only distinct scores of positives add to the area, so positives and
    negatives are sorted apart, which is several times faster than XGBoost's sort of row numbers. Values differ from
    XGBoost's by rounding at most.

    Args:
        labels: 0 or 1, shape (n,).
    """

    def __init__(self, labels: ArrayLike):
        is_positive = np.asarray(labels) == 1
        self._positive_rows = np.flatnonzero(is_positive)
        self._negative_rows = np.flatnonzero(~is_positive)

    def __call__(self, scores: NDArray[np.floating]) -> float:
        """Return the area for scores of shape (n,) in the order of the labels; 0 unless both classes occur."""
        if not len(self._positive_rows) or not len(self._negative_rows):
            return 0.0
        positives, negatives = np.sort(scores[self._positive_rows]), np.sort(scores[self._negative_rows])
        total = len(positives)
        bounds = np.concatenate([[0], np.flatnonzero(positives[1:] != positives[:-1]) + 1, [total]])
        distinct = positives[bounds[:-1]]
        reached, reached_before = total - bounds[:-1], total - bounds[1:]
        negatives_before = len(negatives) - np.searchsorted(negatives, distinct, side="right")
        negatives_through = len(negatives) - np.searchsorted(negatives, distinct, side="left")
        # Recall r has precision r / (slope r + offset) between two scores.
        ratio = (negatives_through - negatives_before) / (reached - reached_before)
        slope, offset = 1 + ratio, (negatives_before - ratio * reached_before) / total
        recall, recall_before = reached / total, reached_before / total
        with np.errstate(divide="ignore", invalid="ignore"):
            bend = offset / slope * (np.log(slope * recall + offset) - np.log(slope * recall_before + offset))
        return float(np.sum((recall - recall_before - np.where(offset == 0, 0.0, bend)) / slope))
