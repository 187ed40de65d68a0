"""Bootstrap confidence intervals of metrics: percentiles over resampled rows or resampled days, without bias."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.resampled import NAN, ResampledMetrics, point_values

Interval = tuple[float, float]
NO_INTERVAL: Interval = (NAN, NAN)
# 100,000 counts of 8 bytes stay in the processor's cache.
COUNTS_AT_ONCE = 100_000
# Consecutive models often have the same number of rows and so the same draws: up to this many counts are cached, one
# byte each.
COUNTS_KEPT = 16_000_000
BIASED = "calibration_error"


def row_intervals(metrics: ResampledMetrics, samples: int, confidence: float, seed: int) -> dict[str, Interval]:
    """Compute (low, high) of each metric: percentiles over `samples` draws of the same number of rows with replacement.

    Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13. Rows are drawn independently: if rows of one
    entity are similar to each other, the true variation is larger than the interval. Draws in which a metric is
    undefined are ignored for it; if it is undefined in all, its interval is NaN. The result depends on the rows and the
    seed, not on the order of the rows.

    Chance increases calibration_error, and resampling increases it once more, so its interval is corrected for bias:
    moved down by the mean of the resamples minus the value (chapter 10.2). It contains the value and is not below 0.
    """
    sums = [metrics.sums(counts) for counts in draw_counts(metrics.rows, samples, seed)]
    resampled = metrics.values_of(np.concatenate(sums, axis=1))
    intervals = {name: percentile_interval(values, confidence) for name, values in resampled.items()}
    if BIASED in intervals:
        value = point_values(metrics)[BIASED]
        intervals[BIASED] = _remove_bias(intervals[BIASED], resampled[BIASED], value)
    return intervals


def _remove_bias(interval: Interval, resampled: NDArray[np.float64], value: float) -> Interval:
    defined = resampled[~np.isnan(resampled)]
    if not len(defined):
        return interval
    bias = float(defined.mean()) - value
    return max(0.0, min(interval[0] - bias, value)), max(interval[1] - bias, value)


def day_interval(daily: ArrayLike, samples: int, confidence: float, seed: int) -> Interval:
    """Compute (low, high) of the mean of daily values: percentiles over draws of the same number of days with
    replacement.

    `daily` is in the order of the days. NaN for fewer than two days: one day says nothing about how days differ.
    """
    values = np.asarray(daily, dtype=np.float64)
    if len(values) < 2:
        return NO_INTERVAL
    means = [counts @ values / len(values) for counts in draw_counts(len(values), samples, seed)]
    return percentile_interval(np.concatenate(means), confidence)


def draw_counts(rows: int, samples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Draw resamples of `rows` rows with replacement, and yield the count of each row, in parts of shape (some of the
    samples, rows).

    The counts are whole numbers as float64. The next part overwrites them, because allocating memory for each part
    would take longer than counting.
    """
    step = max(1, COUNTS_AT_ONCE // max(rows, 1))
    buffer = np.empty((min(step, samples), rows))
    parts = (
        _kept_draws(rows, samples, seed, step) if rows * samples <= COUNTS_KEPT else _draw(rows, samples, seed, step)
    )
    for part in parts:
        counts = buffer[: len(part)]
        np.copyto(counts, part)
        yield counts


@lru_cache(maxsize=1)
def _kept_draws(rows: int, samples: int, seed: int, step: int) -> list[NDArray]:
    return [part.astype(np.min_scalar_type(part.max(initial=0))) for part in _draw(rows, samples, seed, step)]


def _draw(rows: int, samples: int, seed: int, step: int) -> Iterator[NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    for first in range(0, samples, step):
        size = min(step, samples - first)
        drawn = random.integers(0, max(rows, 1), (size, rows))
        # Each sample has its own range of numbers, so that one bincount counts all samples.
        drawn += np.arange(size)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows)


def percentile_interval(values: NDArray[np.float64], confidence: float) -> Interval:
    """Compute (low, high) around the middle share `confidence` of the values that are not NaN; NaN if all of them are
    NaN."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return NO_INTERVAL
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
