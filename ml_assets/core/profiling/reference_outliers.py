"""Which days of a reference are alike: days that went wrong themselves must not make good ones look wrong."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml_assets.core.profiling.histograms import Histogram
from ml_assets.core.profiling.profiles import Profile

Floats = NDArray[np.float64]
# As in drift.py: what the distance of a sample from its source exceeds once in a hundred times, times the root of its
# rows.
CHANCE = 1.63


def exclude_outlier_days(profiles: Sequence[Profile], limit: float) -> list[Profile]:
    """The days that are no farther than `limit`, and chance, from the median day; none when these are fewer than half.

    The median day has, at each value, the median of the days' distribution functions, and the median of their shares of
    missing values and of each frequent text; it does not move when fewer than half of the days are off. The distance is
    that of Kolmogorov and Smirnov, the difference of the missing shares, or half the sum of the differences of the
    shares of texts, whichever is largest.

    Args:
        profiles: one column on some days, in any order.
        limit: largest distance, from 0 to 1.
    """
    filled = [one for one in profiles if one.rows]
    if not filled:
        return []
    distances = np.maximum(_of_missing(filled), _of_histograms([one.histogram for one in filled]))
    if all(_is_of_categories(one) for one in filled):
        distances = np.maximum(distances, _of_texts(filled))
    allowed = limit + CHANCE / np.sqrt([one.rows for one in filled])
    usual = [one for one, near in zip(filled, distances <= allowed, strict=True) if near]
    return usual if 2 * len(usual) > len(filled) else []


def _is_of_categories(profile: Profile) -> bool:
    """Whether the texts that were counted are all there are."""
    return bool(profile.values) and sum(profile.values.values()) == profile.present


def _of_missing(profiles: Sequence[Profile]) -> Floats:
    shares = np.array([one.missing / one.rows for one in profiles])
    return np.abs(shares - np.median(shares))


def _of_histograms(histograms: Sequence[Histogram]) -> Floats:
    bins = np.unique(np.concatenate([one.bins for one in histograms]))
    reached = np.zeros((len(histograms), len(bins)))
    for row, one in zip(reached, histograms, strict=True):
        row[np.searchsorted(bins, one.bins)] = one.shares().weights
    reached = reached.cumsum(axis=1)
    # Days without any value are told apart by their missing share.
    there = np.array([len(one.bins) > 0 for one in histograms])
    if not there.any():
        return np.zeros(len(histograms))
    return np.where(there, np.abs(reached - np.median(reached[there], axis=0)).max(axis=1, initial=0.0), 0.0)


def _of_texts(profiles: Sequence[Profile]) -> Floats:
    names = sorted({name for one in profiles for name in one.values})
    shares = np.array([[one.values.get(name, 0) / one.present for name in names] for one in profiles])
    return np.abs(shares - np.median(shares, axis=0)).sum(axis=1) / 2
