"""Histograms whose bins are the same for every day, so that days can be compared and added without going back to their
rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Sign, exponent and the five highest bits of the mantissa: a bin is at most 1/32 as wide as its values are large.
DROPPED_BITS = 47
SECONDS_PER_BIN = 300


@dataclass(frozen=True)
class Histogram:
    """Weights of bins. bins: numbers of the bins that have any weight, ascending (int64). weights: counts, or shares
    that add up to 1 (float64).
    """

    bins: NDArray[np.int64]
    weights: NDArray[np.float64]

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    def shares(self) -> "Histogram":
        """The same with weights that add up to 1; what is empty stays empty."""
        return Histogram(self.bins, self.weights / self.total) if len(self.bins) else self

    def weight(self, number: int) -> float:
        """The weight of one bin, 0 where it is empty."""
        return float(self.weights[self.bins == number].sum())


def number_bins(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each finite value: the larger value never has the smaller bin, and -0 has that of 0.

    The bits of a double that are left after the lower ones are dropped are a logarithmic scale cut linearly within each
    power of two, as in an HDR histogram (G. Tene). Integers up to 64 in magnitude have a bin of their own.
    """
    bins = (values + 0.0).view(np.int64) >> DROPPED_BITS
    # Read as integers, negative doubles go down as their magnitude goes up.
    negative = bins < 0
    bins[negative] = -(1 << 16) - 1 - bins[negative]
    return bins


def lower_edges(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """The end of each number bin that is nearer to 0, which lies in the bin."""
    magnitudes = np.where(bins < 0, -1 - bins, bins) << DROPPED_BITS
    return np.where(bins < 0, -1.0, 1.0) * magnitudes.view(np.float64)


def from_sorted(bins: NDArray[np.int64]) -> Histogram:
    """The histogram of bins in ascending order."""
    first = np.append(0, np.flatnonzero(bins[1:] != bins[:-1]) + 1) if len(bins) else np.empty(0, np.int64)
    return Histogram(bins[first], np.diff(first, append=len(bins)).astype(np.float64))


def mean_of_shares(histograms: Sequence[Histogram]) -> Histogram:
    """The mean of the shares of some histograms, each with the same weight whatever its total; empty ones do not
    count.
    """
    filled = [one.shares() for one in histograms if len(one.bins)]
    if not filled:
        return Histogram(np.empty(0, np.int64), np.empty(0))
    first = min(int(one.bins[0]) for one in filled)
    weights = np.bincount(
        np.concatenate([one.bins for one in filled]) - first, np.concatenate([one.weights for one in filled])
    )
    bins = np.flatnonzero(weights)
    return Histogram(bins + first, weights[bins] / len(filled))


def mean_of_categories(counts: Sequence[Mapping[str, float]], totals: Sequence[float]) -> dict[str, float]:
    """The mean share of each category over days with these totals, each day with the same weight; days without values
    do not count.
    """
    days = [(of_day, total) for of_day, total in zip(counts, totals, strict=True) if total]
    shares: dict[str, float] = {}
    for of_day, total in days:
        for value, count in of_day.items():
            shares[value] = shares.get(value, 0.0) + count / total / len(days)
    return shares
