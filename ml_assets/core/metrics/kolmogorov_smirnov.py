"""The Kolmogorov-Smirnov distance of distributions, its critical value and its p-value."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# The distance of an empirical distribution of n rows from its source exceeds 1.63 / sqrt(n) once in a hundred times (A.
# Kolmogorov, 1933), even if there are only two values (P. Massart, 1990).
KS_CRITICAL = 1.63


def max_distance(first: Floats, second: Floats) -> Floats:
    """Compute the largest absolute difference of distribution functions, along the last axis; 0 without any value."""
    return np.abs(first - second).max(axis=-1, initial=0.0)


def ks_distance(first: Floats, second: Floats) -> float:
    """Compute the Kolmogorov-Smirnov distance of two samples, shapes (n,) and (m,); NaN if one is empty."""
    if not len(first) or not len(second):
        return float("nan")
    values = np.unique(np.concatenate([first, second]))
    distributions = [np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (first, second)]
    return float(max_distance(*distributions))


def critical_distance(n: float, m: float) -> float:
    """Return the distance that two samples of n and m rows from one distribution exceed once in a hundred times."""
    return KS_CRITICAL * float(np.sqrt(1 / n + 1 / m))


def ks_p_value(distance: float, n: float, m: float) -> float:
    """Compute the probability of at least this distance between samples of n and m rows from one distribution.

    This is the limit for many rows (N. Smirnov, 1939).
    """
    from scipy.special import kolmogorov

    return float(kolmogorov(np.sqrt(n * m / (n + m)) * distance))
