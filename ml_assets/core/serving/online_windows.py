"""Window aggregates of one row: the rows of earlier days lie ready by key, and those that come with the row are
added.
"""

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
from ml_assets.core.serving.online_sums import NAN, Beside, ColumnMoments
from ml_assets.core.serving.timestamps import MICROSECOND, since_epoch

# From this many values on numpy finds the smallest one sooner than Python.
MANY = 24
OF_MEANS, OF_SQUARES, OF_EXTREMES = {"mean", "difference", "ratio", "zscore"}, {"std", "zscore"}, {"min", "max"}
NOTHING = Beside([])
Row = Mapping[str, object]


class RowsOfKeys:
    """The rows of earlier days in order of key and time, with what the windows of one key need of their columns."""

    def __init__(
        self, history: pd.DataFrame, event_time: str, key: Sequence[str], features: Sequence[WindowAggregate]
    ) -> None:
        """Take the rows in order of time and row key; `key` without a column makes all rows one key, as in
        `WindowAggregate`.
        """
        self.key = list(key)
        codes, distinct = _numbered([_plain(history[name]) for name in key], len(history))
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
        every = [*self._counts, *(plan for _, plans in self._columns.values() for plan in plans)]
        # Longest first, so that each search can begin where the one before ended.
        self._ends = sorted({end for plan in every for end in (plan.oldest, plan.newest)}, reverse=True)

    def key_of(self, row: Row) -> object:
        """The value that a row has for the key; None where a part of it is missing."""
        parts = [_moment(row[name]) for name in self.key]
        return None if None in parts else parts[0] if len(parts) == 1 else tuple(parts)

    def features(
        self, moment: int, row: Row, further: Sequence[tuple[int, Row]], begin: int | None
    ) -> dict[str, float]:
        """The aggregates of the windows of one row, by name of the feature; NaN where missing.

        Args:
            moment: time of the row, in microseconds since 1970 UTC.
            row: its columns.
            further: (time, row) of rows beside the held ones that are later than those, in order of time and row key,
                the row itself among them.
            begin: rows held from this time on do not count; None: all do.
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
        places = self._places(moment, start, stop, [time for time, _ in further])
        made = {}
        for plan in self._counts:
            made[plan.wanted[0][1]] = float(places[plan.newest] - plan.first(places))
        for name, (column, plans) in self._columns.items():
            values = [as_number(entry.get(name)) for _, entry in further]
            column.add_features(made, plans, places, stop, values, as_number(row.get(name)))
        return made

    def _places(self, moment: int, start: int, stop: int, beside: Sequence[int]) -> dict[int, int]:
        """By how much earlier than the row, the position after the last row that is at least so much earlier; rows
        beside follow the held ones.
        """
        places, low = {}, start
        for before in self._ends:
            time = moment - before
            if beside and time >= beside[0]:
                places[before] = stop + bisect_right(beside, time)
            else:
                places[before] = low = bisect_right(self._times, time, low, stop)
        return places


class Plan:
    """One stretch of time before the row, and the aggregates that are wanted of it, each with the name of its
    feature.
    """

    def __init__(
        self, delay: timedelta, window: timedelta, rows: int | None, wanted: Sequence[tuple[Aggregate, str]]
    ) -> None:
        self.oldest, self.newest, self.rows, self.wanted = _whole(delay + window), _whole(delay), rows, wanted
        aggregates = {aggregate for aggregate, _ in wanted}
        self.needs_mean, self.needs_std = bool(aggregates & OF_MEANS), bool(aggregates & OF_SQUARES)

    def first(self, places: Mapping[int, int]) -> int:
        """Position of the first row, from the position after the last row that is so much earlier than the row."""
        first = places[self.oldest]
        return first if self.rows is None else max(first, places[self.newest] - self.rows)


class _Column:
    """A column of the held rows in order of key and time."""

    def __init__(self, values: Floats, aggregates: set[str]) -> None:
        present = np.abs(values) <= LARGEST_VALUE
        values = np.where(present, values, np.nan)
        self._moments = ColumnMoments(values, bool(OF_SQUARES & aggregates))
        if OF_EXTREMES & aggregates:
            complete = present.all()
            self._lows = values if complete else np.where(present, values, np.inf)
            self._highs = values if complete else np.where(present, values, -np.inf)

    def add_features(
        self,
        made: dict[str, float],
        plans: Sequence[Plan],
        places: Mapping[int, int],
        stop: int,
        beside: list[float],
        own: float,
    ) -> None:
        """Add the features of some stretches; positions from `stop` on are those of the values beside."""
        moments, known = self._moments, {}
        for plan in plans:
            first, last = plan.first(places), places[plan.newest]
            end, further = last, NOTHING
            if last > stop:
                end, of = stop, (first - stop if first > stop else 0, last - stop)
                if (further := known.get(of)) is None:
                    further = known[of] = Beside([value for value in beside[of[0] : of[1]] if value == value])
            begin = first if first < end else end
            number = moments.number(begin, end) + further.number
            mean = moments.sum(begin, end, further, float(number)) if plan.needs_mean and number else NAN
            std = moments.std(begin, end, further, number) if plan.needs_std else NAN
            for aggregate, name in plan.wanted:
                if aggregate == "mean":
                    found = mean
                elif aggregate == "count":
                    found = float(last - first)
                elif aggregate == "sum":
                    found = moments.sum(begin, end, further)
                elif aggregate == "std":
                    found = std
                elif aggregate == "min":
                    found = _extreme(min, self._lows[begin:end], further.values, math.inf)
                elif aggregate == "max":
                    found = _extreme(max, self._highs[begin:end], further.values, -math.inf)
                elif aggregate == "difference":
                    found = own - mean
                elif aggregate == "ratio":
                    found = own / mean if mean else NAN
                else:
                    found = (own - mean) / std if std else NAN
                made[name] = found if -math.inf < found < math.inf else NAN


def _extreme(pick: Callable[..., float], held: Floats, beside: Sequence[float], nothing: float) -> float:
    if len(held) <= MANY:
        return pick([*held.tolist(), *beside], default=nothing)
    return pick([float(held.min() if pick is min else held.max()), *beside])


def _plans(features: Sequence[WindowAggregate]) -> list[Plan]:
    """The stretches whose rows are counted, without a column."""
    return [
        Plan(feature.delay, window, rows, [("count", feature.name("count", suffix))])
        for feature in features
        if feature.value is None
        for suffix, window, rows in feature.spans()
    ]


def _plans_of_values(features: Sequence[WindowAggregate]) -> dict[str, list[Plan]]:
    """The stretches of each column; aggregates of the same stretch, of whichever feature, in one."""
    wanted: dict[str, dict[tuple, list[tuple[Aggregate, str]]]] = {}
    for feature in features:
        if feature.value is not None:
            for suffix, window, rows in feature.spans():
                names = [(aggregate, feature.name(aggregate, suffix)) for aggregate in feature.aggregates]
                wanted.setdefault(feature.value, {}).setdefault((feature.delay, window, rows), []).extend(names)
    return {value: [Plan(*stretch, names) for stretch, names in of_value.items()] for value, of_value in wanted.items()}


def as_number(value: object) -> float:
    """A number or boolean as windows take it; NaN where it is missing or too large."""
    if value is None:
        return NAN
    number = float(value)  # type: ignore[arg-type]
    return number if abs(number) <= LARGEST_VALUE else NAN


def _whole(duration: timedelta) -> int:
    return duration // MICROSECOND


def _moment(value: object) -> object:
    return since_epoch(value) if isinstance(value, datetime) else value


def _plain(values: pd.Series) -> pd.Series:
    """Times as microseconds, which a row's own time is compared with."""
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        return values
    return pd.Series(microseconds(values), index=values.index).astype("Int64").where(values.notna())


def _numbered(columns: list[pd.Series], rows: int) -> tuple[np.ndarray, list]:
    """A number for the key of each row, -1 where a part is missing, and the distinct keys by number."""
    if not columns:
        return np.zeros(rows, np.int64), [()]
    codes, distinct = pd.factorize(columns[0])
    if len(columns) == 1:
        return codes, distinct.tolist()
    keys = [(value,) for value in distinct.tolist()]
    for column in columns[1:]:
        part, values = pd.factorize(column)
        both = np.where((codes < 0) | (part < 0), -1, codes * max(len(values), 1) + part)
        codes, pairs = pd.factorize(np.where(both < 0, np.nan, both.astype(np.float64)))
        texts = values.tolist()
        keys = [(*keys[int(pair) // len(texts)], texts[int(pair) % len(texts)]) for pair in pairs]
    return codes, keys
