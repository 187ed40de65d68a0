"""Profiles: small summaries of a day's columns, from which checks and plots are computed without reading the rows
again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.profiling.histograms import SECONDS_PER_BIN, Histogram, from_sorted, number_bins
from ml_assets.core.tables.local_time import MICROSECONDS_PER_DAY, to_local
from ml_assets.core.tables.schemas import PROFILE_SCHEMA

NUMBER, TEXT, TIME = "number", "text", "time"
MOST_VALUES = 100
_SCALAR_FIELDS = [field.name for field in PROFILE_SCHEMA if not pa.types.is_list(field.type)]
# U+FFFD replaces bytes that could not be decoded; the other pattern matches UTF-8 that was decoded as Latin-1 or
# Windows-1252.
BROKEN_TEXT = "\\x{FFFD}|[\\x{C2}\\x{C3}][\\x{80}-\\x{BF}]"


@dataclass(frozen=True)
class Profile:
    """The profile of one column on one day.

    kind: NUMBER (integers, numbers, booleans), TEXT or TIME. rows: rows of the day. missing, infinite: rows without a
    value, and with an infinite value. distinct: number of distinct values among the other rows. minimum, maximum, mean:
    of finite numbers or, for a time, of the seconds of the local day; None for text and without values. histogram:
    counts by number bin, by length of the text in characters, or by five minutes of the local day. values: counts of
    the 100 most frequent texts, the most frequent first. non_ascii, broken: texts with a non-ASCII character, and with
    traces of a wrong encoding.
    """

    name: str
    kind: str
    rows: int
    missing: int
    infinite: int
    distinct: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    histogram: Histogram
    values: Mapping[str, int]
    non_ascii: int
    broken: int

    @property
    def present(self) -> int:
        """Rows with a finite value; for a target, the labelled rows."""
        return self.rows - self.missing - self.infinite

    @property
    def positives(self) -> int:
        """Number of rows whose value is 1 or true."""
        return int(self.histogram.weight(int(number_bins(np.array([1.0]))[0])))


def profile_columns(table: pa.Table, time_zone: str) -> pa.Table:
    """Profile each column as a row with `PROFILE_SCHEMA`; a table without rows gives no rows.

    There is no sampling, and the order of rows does not matter.

    Args:
        table: columns of integers, floats, booleans, text, and timestamps with a time zone.
        time_zone: IANA name of the time zone in which days begin.

    Raises:
        TypeError: a column has another type; the message names it.
    """
    columns = zip(table.column_names, table.columns, strict=True) if table.num_rows else ()
    records = [_profile_column(name, column, time_zone) for name, column in columns]
    return pa.Table.from_pylist(records, schema=PROFILE_SCHEMA)


def read_profiles(table: pa.Table) -> dict[date, dict[str, Profile]]:
    """Read profiles by day and column, from rows with `day` and the columns of `PROFILE_SCHEMA`; other columns are
    ignored."""
    profiles: dict[date, dict[str, Profile]] = {}
    lists = [_split_lists(table[name]) for name in ("bins", "counts", "values", "value_counts")]
    rows = table.select(["day", *_SCALAR_FIELDS]).to_pylist()
    for row, bins, counts, values, value_counts in zip(rows, *lists, strict=True):
        day, histogram = row.pop("day"), Histogram(bins.astype(np.int64), counts.astype(np.float64))
        frequent = dict(zip(values.tolist(), value_counts.tolist(), strict=True))
        profiles.setdefault(day, {})[row["name"]] = Profile(**row, histogram=histogram, values=frequent)
    return profiles


def _split_lists(column: pa.ChunkedArray) -> list[np.ndarray]:
    """Convert the lists of a column to arrays, because lists of Python objects would take most of the reading time."""
    lists = column.combine_chunks()
    return (
        np.split(lists.flatten().to_numpy(zero_copy_only=False), np.cumsum(lists.value_lengths().to_numpy())[:-1])
        if len(lists)
        else []
    )


def _profile_column(name: str, column: pa.ChunkedArray, time_zone: str) -> dict[str, object]:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        profile = _profile_times(column, time_zone)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        profile = _profile_text(column)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        profile = _profile_numbers(column)
    else:
        raise TypeError(
            f"{name}: a column of type {kind} has no profile;"
            " it must be a number, a boolean, text or a timestamp with a time zone"
        )
    defaults = {"infinite": 0, "values": [], "value_counts": [], "non_ascii": 0, "broken": 0}
    return {**defaults, "name": name, "rows": len(column), "missing": column.null_count, **profile}


def _profile_numbers(column: pa.ChunkedArray) -> dict[str, object]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    values = column.to_numpy().astype(np.float64, copy=False)
    # Sums depend on the order, so values are sorted. NaN comes last.
    ordered = np.sort(values)
    first, last, present = (
        int(np.searchsorted(ordered, end, side))
        for end, side in ((-np.inf, "right"), (np.inf, "left"), (np.nan, "left"))
    )
    finite = ordered[first:last]
    summary = _summarize(finite, from_sorted(number_bins(finite)))
    return {**summary, "kind": NUMBER, "missing": len(values) - present, "infinite": present - len(finite)}


def _profile_times(column: pa.ChunkedArray, time_zone: str) -> dict[str, object]:
    instants = column.drop_null().cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    seconds = np.sort(to_local(instants, time_zone) % MICROSECONDS_PER_DAY / 1e6)
    return {**_summarize(seconds, from_sorted((seconds // SECONDS_PER_BIN).astype(np.int64))), "kind": TIME}


def _summarize(ordered: np.ndarray, histogram: Histogram) -> dict[str, object]:
    """Summarize finite values in ascending order."""
    has_values = len(ordered) > 0
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(ordered.mean()) if has_values else None
    if mean is not None and not np.isfinite(mean):
        mean = float((ordered / len(ordered)).sum())
    return {
        "distinct": int(has_values) + int(np.count_nonzero(ordered[1:] != ordered[:-1])),
        "minimum": float(ordered[0]) if has_values else None,
        "maximum": float(ordered[-1]) if has_values else None,
        "mean": mean,
        **_histogram_fields(histogram),
    }


def _profile_text(column: pa.ChunkedArray) -> dict[str, object]:
    counted = column.drop_null().combine_chunks().value_counts()
    texts, counts = counted.field("values"), counted.field("counts")
    numbers = counts.to_numpy()
    frequent = pa.table([texts, counts], ["text", "count"]).sort_by([("count", "descending"), ("text", "ascending")])[
        :MOST_VALUES
    ]
    lengths, byte_lengths = (
        pc.call_function(name, [texts]).to_numpy(zero_copy_only=False).astype(np.int64)
        for name in ("utf8_length", "binary_length")
    )
    is_non_ascii = byte_lengths > lengths
    looks_broken = pc.call_function("match_substring_regex", [texts], pc.MatchSubstringOptions(BROKEN_TEXT)).to_numpy(
        zero_copy_only=False
    )
    rows_by_length = np.bincount(lengths, numbers, minlength=1)
    bins = np.flatnonzero(rows_by_length)
    return {
        "kind": TEXT,
        "distinct": len(texts),
        **_histogram_fields(Histogram(bins, rows_by_length[bins])),
        "values": frequent["text"].to_pylist(),
        "value_counts": frequent["count"].to_pylist(),
        "non_ascii": int(numbers[is_non_ascii].sum()),
        "broken": int(numbers[looks_broken.astype(bool)].sum()),
    }


def _histogram_fields(histogram: Histogram) -> dict[str, object]:
    return {"bins": histogram.bins.tolist(), "counts": histogram.weights.astype(np.int64).tolist()}
