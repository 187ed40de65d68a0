"""Confidence intervals for the means of two models on the same weighted rows, with the normal approximation.

The results do not depend on the order of the rows.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.paired_proportions import NAN, PairedEstimate, z_score
from ml_assets.core.metrics.resampled import Floats


def mean_difference(
    challenger: ArrayLike, champion: ArrayLike, weights: ArrayLike | None, confidence: float
) -> PairedEstimate:
    """Estimate the difference of two weighted means on the same rows, challenger - champion; NaN without rows, and
    without an interval for a single row.

    Args:
        challenger: values, shape (n,).
        champion: values of the same rows, shape (n,).
        weights: sample weights above 0, shape (n,); None: every row counts once.
        confidence: share of such intervals that contain the true difference.
    """
    first, second, weight = _ordered(challenger, champion, weights)
    if not len(first):
        return PairedEstimate(NAN, NAN, NAN, NAN, NAN)
    total = weight.sum()
    means = float(first @ weight / total), float(second @ weight / total)
    difference = means[0] - means[1]
    half_width = _half_width(weight * (first - second - difference), total, confidence)
    return PairedEstimate(*means, difference, difference - half_width, difference + half_width)


def relative_increase(
    challenger: ArrayLike, champion: ArrayLike, weights: ArrayLike | None, confidence: float
) -> PairedEstimate:
    """Estimate the increase of the challenger's weighted mean over the champion's, as a share of the latter, on the
    same rows.

    The interval is that of a ratio estimator (Cochran, Sampling Techniques, 1977, chapter 6). NaN without rows, and
    where the champion's mean is 0. Arguments as for `mean_difference`.
    """
    first, second, weight = _ordered(challenger, champion, weights)
    total = float(second @ weight)
    if not total > 0:
        return PairedEstimate(_mean(first, weight), _mean(second, weight), NAN, NAN, NAN)
    ratio = float(first @ weight) / total
    half_width = _half_width(weight * (first - ratio * second), total, confidence)
    increase = ratio - 1
    return PairedEstimate(
        _mean(first, weight), _mean(second, weight), increase, increase - half_width, increase + half_width
    )


def _ordered(challenger: ArrayLike, champion: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    first, second = np.asarray(challenger, dtype=np.float64), np.asarray(champion, dtype=np.float64)
    weight = np.ones(len(first)) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.lexsort((weight, second, first))
    return first[order], second[order], weight[order]


def _half_width(residuals: NDArray, total: float, confidence: float) -> float:
    rows = len(residuals)
    if rows < 2:
        return NAN
    return z_score(confidence) * math.sqrt(float(residuals @ residuals) * rows / (rows - 1)) / float(total)


def _mean(values: Floats, weight: Floats) -> float:
    return float(values @ weight / weight.sum()) if len(values) else NAN
