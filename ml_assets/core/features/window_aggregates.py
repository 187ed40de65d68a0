"""Point-in-time window aggregates over earlier rows with the same key, for all rows of a day at once."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from ml_assets.core.features.exact_sums import ExactMoments, Floats, Integers
from ml_assets.core.features.key_index import KeyGroup, KeyIndex, Timeline
from ml_assets.core.model_spec.features import Aggregate, WindowAggregate

# Squares of larger values exceed the range of doubles.
LARGEST_VALUE = 1e140


def window_features(features: Sequence[WindowAggregate], timeline: Timeline) -> dict[str, Floats]:
    """Compute the feature columns, by name: a value for each row of the day, in the order of the timeline.

    A row at time t sees the rows of its key with time in (t - delay - window, t - delay]. Infinite values and values
    beyond 1e140 count as missing. A row without a key has no window features. Results that would be infinite are
    missing.
    """
    columns: dict[str, Floats] = {}
    for key in dict.fromkeys(tuple(feature.key) for feature in features):
        same_key = [feature for feature in features if tuple(feature.key) == key]
        index = KeyIndex(timeline, list(key), same_key)
        names = dict.fromkeys(feature.value for feature in same_key if feature.value is not None)
        values = {name: as_floats(timeline.column(name, index.history)) for name in names}
        columns |= {name: np.full(len(timeline.rows), np.nan) for feature in same_key for name in feature.names()}
        for group in index.groups():
            of_group = {name: _Values(column, group, len(timeline.rows)) for name, column in values.items()}
            for feature in same_key:
                for suffix, first, last in group.window_slices(feature):
                    of_feature = of_group.get(feature.value or "")
                    for aggregate, column in _aggregate(feature.aggregates, of_feature, first, last):
                        columns[feature.name(aggregate, suffix)][group.queries] = np.where(
                            np.isfinite(column), column, np.nan
                        )
    return columns


class _Values:
    """A column in the order of a group, and its value in each query row; missing values are NaN."""

    def __init__(self, values: Floats, group: KeyGroup, rows: int) -> None:
        self._ordered = values[group.positions]
        self._present = np.abs(self._ordered) <= LARGEST_VALUE
        self._complete = bool(self._present.all())
        own = values[len(values) - rows + group.queries]
        self.own = np.where(np.abs(own) <= LARGEST_VALUE, own, np.nan)

    @cached_property
    def moments(self) -> ExactMoments:
        return ExactMoments(self._ordered if self._complete else np.where(self._present, self._ordered, 0.0))

    @cached_property
    def _cumulative_counts(self) -> Integers:
        return np.append(0, np.cumsum(self._present))

    def count(self, first: Integers, last: Integers) -> Floats:
        """Count the non-missing values of each slice."""
        if self._complete:
            return (last - first).astype(np.float64)
        return (self._cumulative_counts[last] - self._cumulative_counts[first]).astype(np.float64)

    def extreme(self, pick: np.ufunc, default: float, first: Integers, last: Integers) -> Floats:
        """Return the smallest (np.minimum) or largest (np.maximum) value of each slice; `default` if it has no values.

        A sparse table: two overlapping ranges, each as long as a power of two, cover any slice.
        """
        table = self._ordered if self._complete else np.where(self._present, self._ordered, default)
        result, levels = np.full(len(first), default), np.frexp(last - first)[1] - 1
        for level in range(levels.max(initial=-1) + 1):
            width = 1 << level
            if level:
                table = pick(table[: -(width >> 1)], table[width >> 1 :])
            is_level = levels == level
            result[is_level] = pick(table[first[is_level]], table[last[is_level] - width])
        return result


def _aggregate(
    aggregates: Sequence[Aggregate], values: _Values | None, first: Integers, last: Integers
) -> Iterator[tuple[Aggregate, Floats]]:
    if values is None:
        yield "count", (last - first).astype(np.float64)
        return
    number = values.count(first, last)
    mean = (
        values.moments.mean(first, last, number)
        if {"mean", "difference", "ratio", "zscore"} & set(aggregates)
        else np.empty(0)
    )
    std = values.moments.std(first, last, number) if {"std", "zscore"} & set(aggregates) else np.empty(0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for aggregate in aggregates:
            match aggregate:
                case "count":
                    yield aggregate, (last - first).astype(np.float64)
                case "sum":
                    yield aggregate, values.moments.sum(first, last)
                case "mean":
                    yield aggregate, mean
                case "std":
                    yield aggregate, std
                case "min":
                    yield aggregate, values.extreme(np.minimum, np.inf, first, last)
                case "max":
                    yield aggregate, values.extreme(np.maximum, -np.inf, first, last)
                case "difference":
                    yield aggregate, values.own - mean
                case "ratio":
                    yield aggregate, values.own / mean
                case "zscore":
                    yield aggregate, (values.own - mean) / std


def as_floats(values: pd.Series) -> Floats:
    """Convert numbers or booleans to float64; missing values are NaN."""
    return values.to_numpy(dtype=np.float64, na_value=np.nan)
