"""Exclusion of outlier days from a drift reference."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml_assets.core.metrics.kolmogorov_smirnov import KS_CRITICAL, max_distance
from ml_assets.core.profiling.histograms import Histogram
from ml_assets.core.profiling.profiles import Profile

Floats = NDArray[np.float64]


def exclude_outlier_days(profiles: Sequence[Profile], limit: float) -> list[Profile]:
    """Keep the days whose distance from the median day is at most `limit` plus an allowance for chance.

    Return no days if these are not the majority. The median day has, at each value, the median of the days'
    distribution functions, and the median of their shares of missing values and of each frequent text; it is not
    affected if fewer than half of the days are outliers. The distance is the maximum of the Kolmogorov-Smirnov
    distance, the difference of the missing shares, and half the sum of the differences of the shares of texts.

    Args:
        profiles: profiles of one column on some days, in any order.
        limit: largest distance, from 0 to 1.
    """
    filled = [profile for profile in profiles if profile.rows]
    if not filled:
        return []
    distances = np.maximum(_missing_distances(filled), _histogram_distances([profile.histogram for profile in filled]))
    if all(_counts_all_texts(profile) for profile in filled):
        distances = np.maximum(distances, _text_distances(filled))
    allowed = limit + KS_CRITICAL / np.sqrt([profile.rows for profile in filled])
    kept = [profile for profile, is_close in zip(filled, distances <= allowed, strict=True) if is_close]
    return kept if 2 * len(kept) > len(filled) else []


def _counts_all_texts(profile: Profile) -> bool:
    """Return whether the counted texts cover all rows of the day that have one."""
    return bool(profile.values) and sum(profile.values.values()) == profile.present


def _missing_distances(profiles: Sequence[Profile]) -> Floats:
    shares = np.array([profile.missing / profile.rows for profile in profiles])
    return np.abs(shares - np.median(shares))


def _histogram_distances(histograms: Sequence[Histogram]) -> Floats:
    bins = np.unique(np.concatenate([histogram.bins for histogram in histograms]))
    distributions = np.zeros((len(histograms), len(bins)))
    for row, histogram in zip(distributions, histograms, strict=True):
        row[np.searchsorted(bins, histogram.bins)] = histogram.shares().weights
    distributions = distributions.cumsum(axis=1)
    # Days without values are distinguished by their missing share.
    has_values = np.array([len(histogram.bins) > 0 for histogram in histograms])
    if not has_values.any():
        return np.zeros(len(histograms))
    return np.where(has_values, max_distance(distributions, np.median(distributions[has_values], axis=0)), 0.0)


def _text_distances(profiles: Sequence[Profile]) -> Floats:
    names = sorted({name for profile in profiles for name in profile.values})
    shares = np.array([[profile.values.get(name, 0) / profile.present for name in names] for profile in profiles])
    return np.abs(shares - np.median(shares, axis=0)).sum(axis=1) / 2
