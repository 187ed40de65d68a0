"""Window aggregates of one row, from the rows of earlier days, sorted by key, and from rows that come with it."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from ml_assets.core.features.exact_sums import Floats
from ml_assets.core.features.key_index import microseconds
from ml_assets.core.features.window_aggregates import LARGEST_VALUE, as_floats
from ml_assets.core.model_spec.features import Aggregate, WindowAggregate
from ml_assets.core.serving.online_sums import NAN, AddedValues, ColumnMoments
from ml_assets.core.serving.timestamps import MICROSECOND, since_epoch
from ml_assets.core.tables.nul_characters import factorize

# Number of values from which numpy finds the minimum faster than Python.
MIN_NUMPY_VALUES = 24
NEED_MEAN = {"mean", "difference", "ratio", "zscore"}
NEED_STD = {"std", "zscore"}
NEED_EXTREMES = {"min", "max"}
NO_VALUES = AddedValues([])
Row = Mapping[str, object]


class RowsOfKeys:
    """The rows of earlier days in order of key and time, with the columns that the windows of one key need."""

    def __init__(
        self, history: pd.DataFrame, event_time: str, key: Sequence[str], features: Sequence[WindowAggregate]
    ) -> None:
        """Sort the rows, which are in order of time and row key, by key. With an empty `key`, all rows share one key,
        as in `WindowAggregate`.
        """
        self.key = list(key)
        codes, distinct = _factorize([_plain(history[name]) for name in key], len(history))
        order = np.argsort(codes, kind="stable")[np.count_nonzero(codes < 0) :]
        self._number = {value: number for number, value in enumerate(distinct)}
        self._starts = memoryview(np.append(0, np.cumsum(np.bincount(codes[order], minlength=len(distinct)))))
        self._times = (
            memoryview(microseconds(history[event_time])[order]) if len(history) else memoryview(np.zeros(0, np.int64))
        )
        self._counts, self._columns = _plans(features), {}
        for name, plans in _plans_of_values(features).items():
            aggregates = {aggregate for plan in plans for aggregate, _ in plan.wanted}
            self._columns[name] = _Column(as_floats(history[name])[order], aggregates), plans
        all_plans = [*self._counts, *(plan for _, plans in self._columns.values() for plan in plans)]
        # Longest first, so that each search can begin where the previous one ended.
        self._ends = sorted({end for plan in all_plans for end in (plan.oldest, plan.newest)}, reverse=True)

    def key_of(self, row: Row) -> object:
        """Return the value of the key in a row; None where a part of it is missing."""
        parts = [_moment(row[name]) for name in self.key]
        return None if None in parts else parts[0] if len(parts) == 1 else tuple(parts)

    def features(
        self, moment: int, row: Row, further: Sequence[tuple[int, Row]], begin: int | None
    ) -> dict[str, float]:
        """Compute the aggregates of the windows of one row, by name of the feature; NaN where missing.

        Args:
            moment: time of the row, in microseconds since 1970 UTC.
            row: the columns of the row.
            further: (time, row) of rows later than those in memory, in order of time and row key, including the row
                itself.
            begin: time from which on rows in memory are ignored; None: all are used.
        """
        key = self.key_of(row)
        if key is None:
            return {}
        if len(further) > 1:
            further = [entry for entry in further if self.key_of(entry[1]) == key]
        number = self._number.get(key)
        start, stop = (0, 0) if number is None else (self._starts[number], self._starts[number + 1])
        if begin is not None:
            stop = bisect_left(self._times, begin, start, stop)
        positions = self._positions(moment, start, stop, [time for time, _ in further])
        features = {}
        for plan in self._counts:
            features[plan.wanted[0][1]] = float(positions[plan.newest] - plan.first(positions))
        for name, (column, plans) in self._columns.items():
            values = [as_number(entry.get(name)) for _, entry in further]
            column.add_features(features, plans, positions, stop, values, as_number(row.get(name)))
        return features

    def _positions(self, moment: int, start: int, stop: int, further: Sequence[int]) -> dict[int, int]:
        """Return, for each age in microseconds, the position after the last row of at least that age; positions of
        further rows follow those of the rows in memory.
        """
        positions, low = {}, start
        for age in self._ends:
            time = moment - age
            if further and time >= further[0]:
                positions[age] = stop + bisect_right(further, time)
            else:
                positions[age] = low = bisect_right(self._times, time, low, stop)
        return positions


class Plan:
    """One time window before the row, and its aggregates, each with the name of its feature."""

    def __init__(
        self, delay: timedelta, window: timedelta, rows: int | None, wanted: Sequence[tuple[Aggregate, str]]
    ) -> None:
        self.oldest = _microseconds(delay + window)
        self.newest = _microseconds(delay)
        self.rows = rows
        self.wanted = wanted
        aggregates = {aggregate for aggregate, _ in wanted}
        self.needs_mean = bool(aggregates & NEED_MEAN)
        self.needs_std = bool(aggregates & NEED_STD)

    def first(self, positions: Mapping[int, int]) -> int:
        """Return the position of the first row of the window, given the first row position for each age."""
        first = positions[self.oldest]
        return first if self.rows is None else max(first, positions[self.newest] - self.rows)


class _Column:
    """A column of the rows in memory, in order of key and time."""

    def __init__(self, values: Floats, aggregates: set[str]) -> None:
        present = np.abs(values) <= LARGEST_VALUE
        values = np.where(present, values, np.nan)
        self._moments = ColumnMoments(values, bool(NEED_STD & aggregates))
        if NEED_EXTREMES & aggregates:
            is_complete = present.all()
            self._lows = values if is_complete else np.where(present, values, np.inf)
            self._highs = values if is_complete else np.where(present, values, -np.inf)

    def add_features(
        self,
        features: dict[str, float],
        plans: Sequence[Plan],
        positions: Mapping[int, int],
        stop: int,
        further_values: list[float],
        own: float,
    ) -> None:
        """Add the features of several windows; positions from `stop` on refer to the further values."""
        moments, known = self._moments, {}
        for plan in plans:
            first, last = plan.first(positions), positions[plan.newest]
            end, further = last, NO_VALUES
            if last > stop:
                end, part = stop, (first - stop if first > stop else 0, last - stop)
                if (further := known.get(part)) is None:
                    further = known[part] = AddedValues(
                        [value for value in further_values[part[0] : part[1]] if value == value]
                    )
            begin = first if first < end else end
            number = moments.number(begin, end) + further.number
            mean = moments.sum(begin, end, further, float(number)) if plan.needs_mean and number else NAN
            std = moments.std(begin, end, further, number) if plan.needs_std else NAN
            for aggregate, name in plan.wanted:
                if aggregate == "mean":
                    value = mean
                elif aggregate == "count":
                    value = float(last - first)
                elif aggregate == "sum":
                    value = moments.sum(begin, end, further)
                elif aggregate == "std":
                    value = std
                elif aggregate == "min":
                    value = _extreme(min, self._lows[begin:end], further.values, math.inf)
                elif aggregate == "max":
                    value = _extreme(max, self._highs[begin:end], further.values, -math.inf)
                elif aggregate == "difference":
                    value = own - mean
                elif aggregate == "ratio":
                    value = own / mean if mean else NAN
                else:
                    value = (own - mean) / std if std else NAN
                features[name] = value if -math.inf < value < math.inf else NAN


def _extreme(pick: Callable[..., float], values: Floats, further: Sequence[float], default: float) -> float:
    if len(values) <= MIN_NUMPY_VALUES:
        return pick([*values.tolist(), *further], default=default)
    return pick([float(values.min() if pick is min else values.max()), *further])


def _plans(features: Sequence[WindowAggregate]) -> list[Plan]:
    """Return the windows whose rows are counted, without a column."""
    return [
        Plan(feature.delay, window, rows, [("count", feature.name("count", suffix))])
        for feature in features
        if feature.value is None
        for suffix, window, rows in feature.spans()
    ]


def _plans_of_values(features: Sequence[WindowAggregate]) -> dict[str, list[Plan]]:
    """Return the windows of each column; aggregates of the same window, of any feature, share one plan."""
    wanted: dict[str, dict[tuple, list[tuple[Aggregate, str]]]] = {}
    for feature in features:
        if feature.value is not None:
            for suffix, window, rows in feature.spans():
                names = [(aggregate, feature.name(aggregate, suffix)) for aggregate in feature.aggregates]
                wanted.setdefault(feature.value, {}).setdefault((feature.delay, window, rows), []).extend(names)
    return {column: [Plan(*window, names) for window, names in windows.items()] for column, windows in wanted.items()}


def as_number(value: object) -> float:
    """Convert a number or boolean to the float that windows use; NaN where it is missing or too large."""
    if value is None:
        return NAN
    number = float(value)  # type: ignore[arg-type]
    return number if abs(number) <= LARGEST_VALUE else NAN


def _microseconds(duration: timedelta) -> int:
    return duration // MICROSECOND


def _moment(value: object) -> object:
    return since_epoch(value) if isinstance(value, datetime) else value


def _plain(values: pd.Series) -> pd.Series:
    """Convert times to microseconds, as in single rows."""
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        return values
    return pd.Series(microseconds(values), index=values.index).astype("Int64").where(values.notna())


def _factorize(columns: list[pd.Series], rows: int) -> tuple[np.ndarray, list]:
    """Return a number for the key of each row, -1 where a part is missing, and the distinct keys by number."""
    if not columns:
        return np.zeros(rows, np.int64), [()]
    codes, distinct = factorize(columns[0])
    if len(columns) == 1:
        return codes, distinct.tolist()
    keys = [(value,) for value in distinct.tolist()]
    for column in columns[1:]:
        part, values = factorize(column)
        both = np.where((codes < 0) | (part < 0), -1, codes * max(len(values), 1) + part)
        codes, pairs = pd.factorize(np.where(both < 0, np.nan, both.astype(np.float64)))
        texts = values.tolist()
        keys = [(*keys[int(pair) // len(texts)], texts[int(pair) % len(texts)]) for pair in pairs]
    return codes, keys
