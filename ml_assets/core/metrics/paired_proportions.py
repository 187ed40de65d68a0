"""Confidence intervals for proportions and for paired proportions, also valid for few rows."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

NAN = float("nan")


@dataclass(frozen=True)
class PairedEstimate:
    """A figure of challenger and champion on the same rows, and the difference with its interval; NaN if undefined.

    difference: for metrics, above 0 if the challenger is better; for the share of wrong decisions or classes, and for
    the relative increase of the mean error, above 0 if it is worse; for the share of positive decisions, the ratio of
    the challenger's share to the champion's; for predictions, their distance.
    """

    challenger: float
    champion: float
    difference: float
    low: float
    high: float


def proportion_difference(challenger: ArrayLike, champion: ArrayLike, confidence: float) -> PairedEstimate:
    """Estimate the difference of two proportions on the same rows, challenger - champion; NaN without rows.

    Only rows on which the two disagree distinguish them. The interval is Wald's for matched pairs after half a row is
    added to each of the four combinations (Agresti and Min, Simple improved confidence intervals for comparing matched
    proportions, 2005): a single row on which one model is wrong and the other right is no evidence yet.

    Args:
        challenger: boolean, shape (n,).
        champion: boolean, shape (n,), of the same rows.
        confidence: share of such intervals that contain the true difference.
    """
    first, second = np.asarray(challenger, dtype=bool), np.asarray(champion, dtype=bool)
    rows = len(first)
    if not rows:
        return PairedEstimate(NAN, NAN, NAN, NAN, NAN)
    only_first, only_second = int(np.count_nonzero(first & ~second)), int(np.count_nonzero(second & ~first))
    surplus = only_first - only_second
    centre = surplus / (rows + 2)
    half_width = z_score(confidence) * math.sqrt(only_first + only_second + 1 - surplus**2 / (rows + 2)) / (rows + 2)
    difference = surplus / rows
    return PairedEstimate(
        float(first.mean()),
        float(second.mean()),
        difference,
        max(-1.0, min(centre - half_width, difference)),
        min(1.0, max(centre + half_width, difference)),
    )


def proportion_ratio(challenger: ArrayLike, champion: ArrayLike, confidence: float) -> PairedEstimate:
    """Estimate the ratio of two proportions on the same rows, challenger / champion; NaN without rows.

    Ratio and interval are computed from the counts after half a row is added to each of the rows that are true for only
    one of the two. The interval is Wald's for the logarithm of the ratio of matched pairs (Desu and Raghavarao,
    Nonparametric Statistical Methods for Complete and Censored Data, 2004, section 5): with hardly any true rows the
    interval is wide, even if one of the two has none. Arguments as for `proportion_difference`.
    """
    first, second = np.asarray(challenger, dtype=bool), np.asarray(champion, dtype=bool)
    if not len(first):
        return PairedEstimate(NAN, NAN, NAN, NAN, NAN)
    disagreeing = np.count_nonzero(first != second) + 1
    a, b = np.count_nonzero(first) + 0.5, np.count_nonzero(second) + 0.5
    factor = math.exp(z_score(confidence) * math.sqrt(disagreeing / (a * b)))
    return PairedEstimate(float(first.mean()), float(second.mean()), a / b, a / b / factor, a / b * factor)


def proportion_interval(true: int, rows: int, confidence: float) -> tuple[float, float]:
    """Compute (low, high) of a proportion, the Wilson score interval; NaN without rows.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    if not rows:
        return NAN, NAN
    share, z = true / rows, z_score(confidence)
    centre, half_width = share + z**2 / (2 * rows), z * math.sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2)
    # Rounding can put the bound of a share of 0 or 1 slightly on its wrong side.
    return min((centre - half_width) / (1 + z**2 / rows), share), max((centre + half_width) / (1 + z**2 / rows), share)


def mean_interval(values: ArrayLike, confidence: float) -> tuple[float, float]:
    """Compute (low, high) of a mean, with the normal approximation; NaN for fewer than two values."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if len(ordered) < 2:
        return NAN, NAN
    half_width = z_score(confidence) * float(ordered.std(ddof=1)) / math.sqrt(len(ordered))
    return float(ordered.mean()) - half_width, float(ordered.mean()) + half_width


def z_score(confidence: float) -> float:
    """Return the half width, in standard deviations, of a two-sided confidence interval of a normal distribution."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
