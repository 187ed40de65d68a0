"""Index of the rows that a day can see, sorted so that each window is a contiguous slice."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from ml_assets.core.features.exact_sums import Integers
from ml_assets.core.model_spec.features import WindowAggregate
from ml_assets.core.tables.nul_characters import factorize

# Rows of a group of keys: few enough for intermediate results to stay in the processor's cache.
GROUP_ROWS = 2**16


class Timeline:
    """The rows that the windows of a day can see, in order of time: rows of earlier days, then rows of the day."""

    def __init__(self, rows: pd.DataFrame, history: pd.DataFrame, event_time: str, row_key: list[str]) -> None:
        """Join two frames sorted by `event_time` (tz-aware); all rows of `history` are before all rows of `rows`."""
        self.rows, self.history, self.row_key = rows, history, row_key
        self.times = np.concatenate([microseconds(frame[event_time]) for frame in (history, rows) if len(frame)])

    def column(self, name: str, history: slice) -> pd.Series:
        """Return one column: a part of the history, then all rows of the day."""
        parts = [frame[name] for frame in (self.history.iloc[history], self.rows) if len(frame)]
        return pd.Series(pd.concat(parts, ignore_index=True)) if len(parts) > 1 else parts[0].reset_index(drop=True)


class KeyIndex:
    """The rows that share a key with some row of the days, in groups of keys that fit into the processor's cache.

    history: the part of the timeline's history that the windows reach.
    """

    def __init__(self, timeline: Timeline, key: list[str], features: Sequence[WindowAggregate]) -> None:
        """Group the rows by `key` (no columns: all rows share one key), as far back as the windows of `features`
        reach."""
        times, first_row = timeline.times, len(timeline.history)
        newest, oldest = min(feature.delay for feature in features), max(feature.reach() for feature in features)
        low = int(np.searchsorted(times, times[first_row] - _in_microseconds(oldest), side="right"))
        high = int(np.searchsorted(times, times[-1] - _in_microseconds(newest), side="right"))
        self._timeline, self._orders_ties = timeline, any(feature.last_rows for feature in features)
        self._times, self._day = times[low:high], times[first_row:]
        self.history = slice(low, min(high, first_row))
        self._codes = np.zeros(self.history.stop - low + len(self._day), np.int64)
        if key:
            self._codes = _codes([timeline.column(name, self.history) for name in key], len(self._day))
        self._ends: dict[timedelta, Integers] = {}

    def groups(self) -> Iterator["KeyGroup"]:
        """Yield groups of a few keys each, which together contain every row with a key once."""
        visible, of_day = self._codes[: len(self._times)], self._codes[-len(self._day) :]
        group_of, number = _split_keys(visible, of_day)
        first_codes = np.searchsorted(group_of, np.arange(number))
        for first_code, positions, queries in zip(
            first_codes, _split(group_of, visible, number), _split(group_of, of_day, number), strict=True
        ):
            yield KeyGroup(self, positions, visible[positions] - first_code, queries, of_day[queries] - first_code)

    def ends(self, before: timedelta) -> Integers:
        """Return, for each row of the days, how many rows are at least `before` earlier."""
        if before not in self._ends:
            self._ends[before] = np.searchsorted(self._times, self._day - _in_microseconds(before), side="right")
        return self._ends[before]

    def order_ties(self, positions: Integers, codes: Integers) -> None:
        """Sort rows of the same key and time by the row key, in place; only windows of the last n rows depend on this
        order."""
        if not self._orders_ties:
            return
        times = self._times[positions]
        same = (times[1:] == times[:-1]) & (codes[1:] == codes[:-1])
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        ties = np.cumsum(np.append(True, ~same))[tied]
        names = pd.DataFrame(
            {name: self._timeline.column(name, self.history).take(positions[tied]) for name in self._timeline.row_key}
        )
        positions[tied] = positions[tied][sorted_order(names, first=ties)]


class KeyGroup:
    """The rows of some keys, sorted by key and time: each window is a contiguous slice.

    positions: the rows, as positions after the first row of the index's history. queries: rows of the days, as
    positions among these.
    """

    def __init__(
        self, index: KeyIndex, positions: Integers, codes: Integers, queries: Integers, query_codes: Integers
    ) -> None:
        """Sort rows and queries, which come in order of time, by their keys, which are numbered from 0."""
        self._index = index
        bits = int(positions[-1] + 1 if len(positions) else 0).bit_length()
        order = _stable_order(codes)
        self.positions, codes = positions[order], codes[order]
        # Code and position in one integer: a binary search finds the place of any time within any key.
        self._entries = (codes << bits) | self.positions
        index.order_ties(self.positions, codes)
        # Queries sorted by key search neighbouring entries in turn.
        order = _stable_order(query_codes)
        self.queries, self._codes, self._most = queries[order], query_codes[order] << bits, (1 << bits) - 1
        self._ends: dict[timedelta, Integers] = {}

    def window_slices(self, feature: WindowAggregate) -> Iterator[tuple[str, Integers, Integers]]:
        """Yield for each window of the feature: name suffix, and first and last (exclusive) positions by query."""
        for suffix, window, rows in feature.spans():
            first, last = self._end(feature.delay + window), self._end(feature.delay)
            yield suffix, first if rows is None else np.maximum(first, last - rows), last

    def _end(self, before: timedelta) -> Integers:
        """Return the position after the last row of each query's key that is at least `before` earlier."""
        if before not in self._ends:
            ends = np.minimum(self._index.ends(before)[self.queries], self._most)
            self._ends[before] = np.searchsorted(self._entries, self._codes | ends)
        return self._ends[before]


def _split_keys(visible: Integers, of_day: Integers) -> tuple[Integers, int]:
    """Number groups of neighbouring codes with about GROUP_ROWS rows each; return the group of each code, and how many
    there are. The last element is the group of rows without a key, which has the highest number.
    """
    rows = np.bincount(visible[visible >= 0], minlength=int(of_day.max(initial=-1)) + 1)
    groups = (np.cumsum(rows) - rows) // GROUP_ROWS
    groups = np.searchsorted(np.unique(groups), groups)
    number = int(groups[-1]) + 1 if len(groups) else 0
    return np.append(groups, number), number


def _split(group_of: Integers, codes: Integers, number: int) -> Sequence[Integers]:
    """Return the positions of the codes of each group, ascending."""
    groups = group_of[codes]
    order = np.argsort(groups.astype(np.uint16) if number < 2**16 else groups, kind="stable")
    return np.split(order, np.cumsum(np.bincount(groups, minlength=number + 1))[:-1])[:number]


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

    This is a radix sort of 16 bits at a time: numpy sorts 16-bit integers by radix, several times faster than 64-bit
    integers.
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
    """Return whether rows are sorted by the columns, the first one first. Comparing neighbours takes a fraction of the
    time of sorting.
    """
    is_tied = np.ones(max(len(columns[0]) - 1, 0), bool)
    for column in columns:
        if (is_tied & (column[1:] < column[:-1])).any():
            return False
        is_tied &= column[1:] == column[:-1]
    return True


def microseconds(times: pd.Series) -> Integers:
    """Convert tz-aware times to whole microseconds since 1970-01-01 UTC."""
    index = pd.DatetimeIndex(times)
    return (index if index.unit == "us" else index.as_unit("us")).asi8


def _in_microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
