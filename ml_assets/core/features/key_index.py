"""Index of the rows that a day can see, sorted so that each window is a contiguous slice."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from ml_assets.core.features.exact_sums import Floats, Integers
from ml_assets.core.model_spec.features import WindowAggregate
from ml_assets.core.tables.nul_characters import factorize


class Timeline:
    """The rows that the windows of a day can see, in order of time: rows of earlier days, then rows of the day."""

    def __init__(self, rows: pd.DataFrame, history: pd.DataFrame, event_time: str, row_key: list[str]) -> None:
        """Join two frames sorted by `event_time` (tz-aware); all rows of `history` are before all rows of `rows`."""
        self.rows, self.history, self.row_key = rows, history, row_key
        self.times = np.concatenate([microseconds(frame[event_time]) for frame in (history, rows) if len(frame)])

    def column(self, name: str, history: slice) -> pd.Series:
        """Return one column: a part of the history, then all rows of the day."""
        parts = [frame[name] for frame in (self.history.iloc[history], self.rows) if len(frame)]
        return pd.Series(pd.concat(parts, ignore_index=True))


class KeyIndex:
    """The rows that share a key with some row of the day, sorted by key and time: each window is a contiguous slice."""

    def __init__(self, timeline: Timeline, key: list[str], features: Sequence[WindowAggregate]) -> None:
        """Sort the rows by `key` (no column: all rows share one key), as far back as `features` of that key can see."""
        times, first_row = timeline.times, len(timeline.history)
        newest, oldest = min(feature.delay for feature in features), max(feature.reach() for feature in features)
        low = int(np.searchsorted(times, times[first_row] - _in_microseconds(oldest), side="right"))
        high = int(np.searchsorted(times, times[-1] - _in_microseconds(newest), side="right"))
        self._times, self._day = times[low:high], times[first_row:]
        self.history = slice(low, min(high, first_row))
        codes = np.zeros(self.history.stop - low + len(self._day), np.int64)
        if key:
            codes = _codes([timeline.column(name, self.history) for name in key], len(self._day))
        visible = codes[: high - low]
        positions = np.flatnonzero(visible >= 0)
        positions = positions[_stable_order(visible[positions])]
        # Code and position in one integer: a binary search finds the place of any time within any key.
        self._bits = int(high - low).bit_length()
        self._entries = (codes[positions] << self._bits) | positions
        self.positions = positions
        if any(feature.last_rows for feature in features):
            self._order_ties(timeline)
        codes_of_day = codes[-len(self._day) :]
        # Rows without a key have no window. Sorted by key, the others search neighbouring entries one after the other.
        rows = np.flatnonzero(codes_of_day >= 0)
        self.queries = rows[_stable_order(codes_of_day[rows])]
        self._codes = codes_of_day[self.queries] << self._bits
        self._ends: dict[timedelta, Integers] = {}

    def window_slices(self, feature: WindowAggregate) -> Iterator[tuple[str, Integers, Integers]]:
        """Yield for each window of the feature: name suffix, and first and last (exclusive) positions by query."""
        for suffix, window, rows in feature.spans():
            first, last = self._end(feature.delay + window), self._end(feature.delay)
            yield suffix, first if rows is None else np.maximum(first, last - rows), last

    def scatter_to_rows(self, values: Floats) -> Floats:
        """Expand one value for each of `queries` to one for each row of the day; NaN for rows without a key."""
        result = np.full(len(self._day), np.nan)
        result[self.queries] = np.where(np.isfinite(values), values, np.nan)
        return result

    def _end(self, before: timedelta) -> Integers:
        """Return the position after the last row of each query's key that is at least `before` earlier."""
        if before not in self._ends:
            ends = np.searchsorted(self._times, self._day - _in_microseconds(before), side="right")
            self._ends[before] = np.searchsorted(self._entries, self._codes | ends[self.queries])
        return self._ends[before]

    def _order_ties(self, timeline: Timeline) -> None:
        """Sort rows of the same key and time by the row key, which the last n rows need (sums do not)."""
        times, codes = self._times[self.positions], self._entries >> self._bits
        same = (times[1:] == times[:-1]) & (codes[1:] == codes[:-1])
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        groups = np.cumsum(np.append(True, ~same))[tied]
        names = pd.DataFrame(
            {name: timeline.column(name, self.history).take(self.positions[tied]) for name in timeline.row_key}
        )
        self.positions[tied] = self.positions[tied][sorted_order(names, first=groups)]


def _codes(columns: list[pd.Series], rows_of_day: int) -> Integers:
    """Number the distinct keys of the day, whose rows come last; -1 for other keys and if part of a key is missing."""
    codes, distinct = _number_values(columns[0])
    missing = codes < 0
    for column in columns[1:]:
        part, number = _number_values(column)
        missing |= part < 0
        codes, distinct = _number_values(pd.Series(codes * number + part))
    occurs = np.zeros(distinct + 1, bool)
    occurs[codes[-rows_of_day:]] = True
    codes = np.where(occurs, np.cumsum(occurs) - 1, -1)[codes]
    codes[missing] = -1
    return codes


def _number_values(values: pd.Series) -> tuple[Integers, int]:
    """Number the distinct values from 0, with -1 for missing ones; also return a bound above all numbers."""
    if _is_integer(values):
        lowest = int(values.min())
        if (value_range := int(values.max()) - lowest) < 4 * len(values):
            # Integers in a narrow range need no hashing.
            return values.to_numpy() - lowest, value_range + 1
    numbers, distinct = factorize(values)
    return numbers.astype(np.int64), len(distinct)


def _is_integer(values: pd.Series) -> bool:
    return values.dtype == np.int64


def _stable_order(codes: Integers) -> Integers:
    """Return the stable order of non-negative codes.

    This is a radix sort of 16 bits at a time: numpy sorts integers of 16 bits by radix, several times faster than those
    of 64 bits.
    """
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    for shift in range(16, int(codes.max(initial=0)).bit_length(), 16):
        order = order[np.argsort((codes[order] >> shift).astype(np.uint16), kind="stable")]
    return order


def sorted_order(frame: pd.DataFrame, first: Integers) -> Integers:
    """Return the positions that sort rows by the numbers `first`, then by each column of the frame in turn."""
    columns = [frame[name] for name in frame]
    ranks = [c.to_numpy() if _is_integer(c) else factorize(c, sort=True)[0] for c in columns]
    return np.arange(len(frame)) if _is_sorted([first, *ranks]) else np.lexsort([*reversed(ranks), first])


def _is_sorted(columns: Sequence[Integers]) -> bool:
    """Return whether rows are in the order of the first column, those with the same value in the order of the next,
    and so on. Comparing neighbours takes a fraction of the time of sorting.
    """
    is_tied = np.ones(max(len(columns[0]) - 1, 0), bool)
    for column in columns:
        if (column[1:][is_tied] < column[:-1][is_tied]).any():
            return False
        is_tied &= column[1:] == column[:-1]
    return True


def microseconds(times: pd.Series) -> Integers:
    """Convert tz-aware times to whole microseconds since 1970-01-01 UTC."""
    return pd.DatetimeIndex(times).as_unit("us").asi8


def _in_microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
