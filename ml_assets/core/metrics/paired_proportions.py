"""How two models' yes-or-no answers on the same rows differ, and shares of rows, each with an interval that also holds
for few rows.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

NAN = float("nan")


@dataclass(frozen=True)
class Compared:
    """A figure of the challenger and of the champion on the same rows, and how they differ with an interval; NaN where
    it is undefined.

    difference: of metrics, above 0 where the challenger is better; of the share of wrong decisions, above 0 where it is
    worse; and of the share of positive decisions the ratio of the challenger's to the champion's.
    """

    challenger: float
    champion: float
    difference: float
    low: float
    high: float


def proportion_difference(ours: ArrayLike, theirs: ArrayLike, confidence: float) -> Compared:
    """The share of rows that are true for our model, for theirs, and the difference (ours - theirs) with its interval;
    NaN without rows.

    Only rows on which the two disagree tell them apart. The interval is Wald's for matched pairs after half a row is
    added to each of the four combinations (Agresti and Min, Simple improved confidence intervals for comparing matched
    proportions, 2005): one row of which one model is wrong and the other right says nothing yet.

    Args:
        ours: boolean, shape (n,).
        theirs: boolean, shape (n,), of the same rows.
        confidence: share of such intervals that hold the true difference.
    """
    of_ours, of_theirs = np.asarray(ours, dtype=bool), np.asarray(theirs, dtype=bool)
    rows = len(of_ours)
    if not rows:
        return Compared(NAN, NAN, NAN, NAN, NAN)
    only_ours, only_theirs = int(np.count_nonzero(of_ours & ~of_theirs)), int(np.count_nonzero(of_theirs & ~of_ours))
    centre = (only_ours - only_theirs) / (rows + 2)
    reach = (
        _z(confidence)
        * math.sqrt(only_ours + only_theirs + 1 - (only_ours - only_theirs) ** 2 / (rows + 2))
        / (rows + 2)
    )
    difference = (only_ours - only_theirs) / rows
    return Compared(
        float(of_ours.mean()),
        float(of_theirs.mean()),
        difference,
        max(-1.0, min(centre - reach, difference)),
        min(1.0, max(centre + reach, difference)),
    )


def proportion_ratio(ours: ArrayLike, theirs: ArrayLike, confidence: float) -> Compared:
    """The share of rows that are true for our model, for theirs, and their ratio (ours / theirs) with its interval; NaN
    without rows.

    Ratio and interval are of the counts after half a row is added to those that are true for one model only, and the
    interval is Wald's of its logarithm for matched pairs (Desu and Raghavarao, Nonparametric Statistical Methods for
    Complete and Censored Data, 2004, section 5): where hardly any row is true the interval is wide, also where there is
    none at all for one of them. Arguments as of `share_difference`.
    """
    of_ours, of_theirs = np.asarray(ours, dtype=bool), np.asarray(theirs, dtype=bool)
    if not len(of_ours):
        return Compared(NAN, NAN, NAN, NAN, NAN)
    disagreeing = np.count_nonzero(of_ours != of_theirs) + 1
    a, b = np.count_nonzero(of_ours) + 0.5, np.count_nonzero(of_theirs) + 0.5
    reach = math.exp(_z(confidence) * math.sqrt(disagreeing / (a * b)))
    return Compared(float(of_ours.mean()), float(of_theirs.mean()), a / b, a / b / reach, a / b * reach)


def proportion_interval(true: int, rows: int, confidence: float) -> tuple[float, float]:
    """(low, high) of a share of rows (Wilson, Probable inference, the law of succession, and statistical inference,
    1927); NaN without rows.
    """
    if not rows:
        return NAN, NAN
    share, z = true / rows, _z(confidence)
    centre, reach = share + z**2 / (2 * rows), z * math.sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2)
    # Rounding puts the bound of a share of 0 or 1 a hair on the wrong side of it.
    return min((centre - reach) / (1 + z**2 / rows), share), max((centre + reach) / (1 + z**2 / rows), share)


def mean_interval(values: ArrayLike, confidence: float) -> tuple[float, float]:
    """(low, high) of a mean by the normal distribution of means; NaN for fewer than two values."""
    found = np.sort(np.asarray(values, dtype=np.float64))
    if len(found) < 2:
        return NAN, NAN
    reach = _z(confidence) * float(found.std(ddof=1)) / math.sqrt(len(found))
    return float(found.mean()) - reach, float(found.mean()) + reach


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
