"""Histograms with the same bins on every day, so that days can be compared and merged without their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Bins keep the sign, exponent and five highest mantissa bits, so the width of a bin is at most 1/32 of its values.
DROPPED_BITS = 47
SECONDS_PER_BIN = 300


@dataclass(frozen=True)
class Histogram:
    """Weights of bins.

    bins: numbers of the non-empty bins, ascending (int64). weights: counts, or shares that add up to 1 (float64).
    """

    bins: NDArray[np.int64]
    weights: NDArray[np.float64]

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    def shares(self) -> "Histogram":
        """Normalise the weights to add up to 1; an empty histogram stays empty."""
        return Histogram(self.bins, self.weights / self.total) if len(self.bins) else self

    def weight(self, number: int) -> float:
        """Return the weight of one bin, 0 if it is empty."""
        return float(self.weights[self.bins == number].sum())


def number_bins(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each finite value. Bins increase with the values, and -0 has the same bin as 0.

    Without its lower bits, a double is a logarithmic scale that is linear within each power of two, as in an HDR
    histogram (G. Tene). Each integer up to 64 in magnitude has its own bin.
    """
    bins = (values + 0.0).view(np.int64) >> DROPPED_BITS
    # Read as integers, negative doubles decrease with increasing magnitude.
    negative = bins < 0
    bins[negative] = -(1 << 16) - 1 - bins[negative]
    return bins


def lower_edges(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the edge of each number bin that is closer to 0; it belongs to the bin."""
    magnitudes = np.where(bins < 0, -1 - bins, bins) << DROPPED_BITS
    return np.where(bins < 0, -1.0, 1.0) * magnitudes.view(np.float64)


def from_sorted(bins: NDArray[np.int64]) -> Histogram:
    """Count bins that are in ascending order."""
    first = np.append(0, np.flatnonzero(bins[1:] != bins[:-1]) + 1) if len(bins) else np.empty(0, np.int64)
    return Histogram(bins[first], np.diff(first, append=len(bins)).astype(np.float64))


def mean_of_shares(histograms: Sequence[Histogram]) -> Histogram:
    """Average the shares of histograms with equal weights, whatever their totals; empty histograms are ignored."""
    filled = [histogram.shares() for histogram in histograms if len(histogram.bins)]
    if not filled:
        return Histogram(np.empty(0, np.int64), np.empty(0))
    first = min(int(histogram.bins[0]) for histogram in filled)
    all_bins = np.concatenate([histogram.bins for histogram in filled])
    weights = np.bincount(all_bins - first, np.concatenate([histogram.weights for histogram in filled]))
    bins = np.flatnonzero(weights)
    return Histogram(bins + first, weights[bins] / len(filled))


def mean_of_categories(counts: Sequence[Mapping[str, float]], totals: Sequence[float]) -> dict[str, float]:
    """Average the share of each category over days with these totals, with equal weights; empty days are ignored."""
    days = [(day_counts, total) for day_counts, total in zip(counts, totals, strict=True) if total]
    shares: dict[str, float] = {}
    for day_counts, total in days:
        for value, count in day_counts.items():
            shares[value] = shares.get(value, 0.0) + count / total / len(days)
    return shares
