"""Aggregates over the earlier rows that share a key, for every row of a day at once."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from ml_assets.core.features.exact_sums import ExactMoments, Floats, Integers
from ml_assets.core.features.key_index import KeyIndex, Timeline
from ml_assets.core.model_spec.features import Aggregate, WindowAggregate

# Squares of larger values leave the range of doubles.
LARGEST_VALUE = 1e140


def window_features(features: Sequence[WindowAggregate], timeline: Timeline) -> dict[str, Floats]:
    """The feature columns, by name: a value for each row of the day, in the order of the timeline.

    A row at time t sees the rows of its key with time in (t - delay - window, t - delay]. Infinite values, and those
    beyond 1e140, are taken as missing. A row without a key has no window features. No result is infinite: what would be
    is missing.
    """
    made: dict[str, Floats] = {}
    for key in dict.fromkeys(tuple(feature.key) for feature in features):
        sharing = [feature for feature in features if tuple(feature.key) == key]
        order = KeyIndex(timeline, list(key), sharing)
        values = {
            name: _Values(timeline, order, name)
            for name in dict.fromkeys(f.value for f in sharing if f.value is not None)
        }
        for feature in sharing:
            for suffix, first, last in order.stretches(feature):
                for aggregate, column in _aggregate(feature.aggregates, values.get(feature.value or ""), first, last):
                    made[feature.name(aggregate, suffix)] = order.spread(column)
    return made


class _Values:
    """A column in key order, and the same column of each query; missing values are NaN."""

    def __init__(self, timeline: Timeline, order: KeyIndex, name: str) -> None:
        values = as_floats(timeline.column(name, order.history))
        self._ordered = values[order.positions]
        self._present = np.abs(self._ordered) <= LARGEST_VALUE
        self._complete = bool(self._present.all())
        own = values[-len(timeline.rows) :][order.queries]
        self.own = np.where(np.abs(own) <= LARGEST_VALUE, own, np.nan)

    @cached_property
    def moments(self) -> ExactMoments:
        return ExactMoments(self._ordered if self._complete else np.where(self._present, self._ordered, 0.0))

    @cached_property
    def _numbers(self) -> Integers:
        return np.append(0, np.cumsum(self._present))

    def number(self, first: Integers, last: Integers) -> Floats:
        """How many values, missing ones apart, each stretch holds."""
        return (last - first if self._complete else self._numbers[last] - self._numbers[first]).astype(np.float64)

    def extreme(self, pick: np.ufunc, nothing: float, first: Integers, last: Integers) -> Floats:
        """Smallest (np.minimum) or largest (np.maximum) value of each stretch, `nothing` where it holds none.

        A sparse table: two overlapping stretches, each as long as a power of two, cover any stretch.
        """
        table = self._ordered if self._complete else np.where(self._present, self._ordered, nothing)
        result, levels = np.full(len(first), nothing), np.frexp(last - first)[1] - 1
        for level in range(levels.max(initial=-1) + 1):
            width = 1 << level
            if level:
                table = pick(table[: -(width >> 1)], table[width >> 1 :])
            here = levels == level
            result[here] = pick(table[first[here]], table[last[here] - width])
        return result


def _aggregate(
    wanted: Sequence[Aggregate], values: _Values | None, first: Integers, last: Integers
) -> Iterator[tuple[Aggregate, Floats]]:
    if values is None:
        yield "count", (last - first).astype(np.float64)
        return
    number = values.number(first, last)
    mean = (
        values.moments.mean(first, last, number)
        if {"mean", "difference", "ratio", "zscore"} & set(wanted)
        else np.empty(0)
    )
    std = values.moments.std(first, last, number) if {"std", "zscore"} & set(wanted) else np.empty(0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for aggregate in wanted:
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
    """Numbers or booleans as float64; missing values are NaN."""
    return values.to_numpy(dtype=np.float64, na_value=np.nan)
