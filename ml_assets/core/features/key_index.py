"""The rows that a day can see, in order of key and time, so that every window is a stretch of them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from ml_assets.core.features.exact_sums import Floats, Integers
from ml_assets.core.model_spec.features import WindowAggregate


class Timeline:
    """What the windows of a day can see: the rows of earlier days, then the rows of the day, in order of time."""

    def __init__(self, rows: pd.DataFrame, history: pd.DataFrame, event_time: str, row_key: list[str]) -> None:
        """Take both frames, each in ascending order of `event_time` (tz-aware), and every row of `history` before every
        row of `rows`.
        """
        self.rows, self.history, self.row_key = rows, history, row_key
        self.times = np.concatenate([microseconds(frame[event_time]) for frame in (history, rows) if len(frame)])

    def column(self, name: str, history: slice) -> pd.Series:
        """One column: a part of the history, then all rows of the day."""
        parts = [frame[name] for frame in (self.history.iloc[history], self.rows) if len(frame)]
        return pd.Series(pd.concat(parts, ignore_index=True))


class KeyIndex:
    """The rows that some row of the day can see through one key, in order of key and time: every window is a stretch of
    them.
    """

    def __init__(self, timeline: Timeline, key: list[str], features: Sequence[WindowAggregate]) -> None:
        """Order the rows by `key` (no column: all rows are one key), as far back as `features`, which all have that
        key, can see.
        """
        times, first_row = timeline.times, len(timeline.history)
        newest, oldest = min(feature.delay for feature in features), max(feature.reach() for feature in features)
        low = int(np.searchsorted(times, times[first_row] - _in_microseconds(oldest), side="right"))
        high = int(np.searchsorted(times, times[-1] - _in_microseconds(newest), side="right"))
        self._times, self._day = times[low:high], times[first_row:]
        self.history = slice(low, min(high, first_row))
        codes = np.zeros(self.history.stop - low + len(self._day), np.int64)
        if key:
            codes = _codes([timeline.column(name, self.history) for name in key], len(self._day))
        seen = codes[: high - low]
        positions = np.flatnonzero(seen >= 0)
        positions = positions[_stable_order(seen[positions])]
        # Code and position in one integer: a binary search finds the place of any time within any key.
        self._bits = int(high - low).bit_length()
        self._entries, self.positions = (codes[positions] << self._bits) | positions, positions
        if any(feature.last_rows for feature in features):
            self._order_ties(timeline)
        codes_of_day = codes[-len(self._day) :]
        # Rows without a key ask for no window. In order of key the others search neighbouring entries one after the
        # other.
        rows = np.flatnonzero(codes_of_day >= 0)
        self.queries = rows[_stable_order(codes_of_day[rows])]
        self._codes, self._ends = codes_of_day[self.queries] << self._bits, {}

    def stretches(self, feature: WindowAggregate) -> Iterator[tuple[str, Integers, Integers]]:
        """Name suffix, first position and position after the last of each window of the feature, for each of
        `queries`.
        """
        for suffix, window, rows in feature.spans():
            first, last = self._end(feature.delay + window), self._end(feature.delay)
            yield suffix, first if rows is None else np.maximum(first, last - rows), last

    def spread(self, values: Floats) -> Floats:
        """From one value for each of `queries` to one for each row of the day; NaN for rows without a key."""
        result = np.full(len(self._day), np.nan)
        result[self.queries] = np.where(np.isfinite(values), values, np.nan)
        return result

    def _end(self, before: timedelta) -> Integers:
        """Position after the last row of each query's key that lies at least `before` earlier."""
        if before not in self._ends:
            ends = np.searchsorted(self._times, self._day - _in_microseconds(before), side="right")
            self._ends[before] = np.searchsorted(self._entries, self._codes | ends[self.queries])
        return self._ends[before]

    def _order_ties(self, timeline: Timeline) -> None:
        """Order rows of the same key and moment by the row key; sums do not need this, the last n rows do."""
        times, codes = self._times[self.positions], self._entries >> self._bits
        same = (times[1:] == times[:-1]) & (codes[1:] == codes[:-1])
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        groups = np.cumsum(np.append(True, ~same))[tied]
        names = pd.DataFrame(
            {name: timeline.column(name, self.history).take(self.positions[tied]) for name in timeline.row_key}
        )
        self.positions[tied] = self.positions[tied][sorted_order(names, first=groups)]


def _codes(columns: list[pd.Series], rows_of_day: int) -> Integers:
    """A number for each distinct key of the day, whose rows come last; -1 for all other keys, and where part of the key
    is missing.
    """
    codes, distinct = _numbered(columns[0])
    missing = codes < 0
    for column in columns[1:]:
        part, number = _numbered(column)
        missing |= part < 0
        codes, distinct = _numbered(pd.Series(codes * number + part))
    occurs = np.zeros(distinct + 1, bool)
    occurs[codes[-rows_of_day:]] = True
    codes = np.where(occurs, np.cumsum(occurs) - 1, -1)[codes]
    codes[missing] = -1
    return codes


def _numbered(values: pd.Series) -> tuple[Integers, int]:
    """A number from 0 for each distinct value, -1 for a missing one; and a bound that no number reaches."""
    if _is_integer(values):
        lowest = int(values.min())
        if (spread := int(values.max()) - lowest) < 4 * len(values):
            # Integers in a narrow range are numbers already, without hashing.
            return values.to_numpy() - lowest, spread + 1
    numbers, distinct = pd.factorize(values)
    return numbers.astype(np.int64), len(distinct)


def _is_integer(values: pd.Series) -> bool:
    return values.dtype == np.int64


def _stable_order(codes: Integers) -> Integers:
    """The stable order of codes that are not negative: a radix sort, since numpy sorts 16 bits at a time so, and
    several times faster than 64.
    """
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    for shift in range(16, int(codes.max(initial=0)).bit_length(), 16):
        order = order[np.argsort((codes[order] >> shift).astype(np.uint16), kind="stable")]
    return order


def sorted_order(frame: pd.DataFrame, first: Integers) -> Integers:
    """Positions that put rows in order of the numbers `first`, then of each column of the frame in turn."""
    columns = [frame[name] for name in frame]
    ranks = [c.to_numpy() if _is_integer(c) else pd.factorize(c, sort=True)[0] for c in columns]
    return np.lexsort([*reversed(ranks), first])


def microseconds(times: pd.Series) -> Integers:
    """Whole microseconds since 1970-01-01 UTC of tz-aware times."""
    return pd.DatetimeIndex(times).as_unit("us").asi8


def _in_microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
