"""Profiles: a small summary of each column of a day, from which checks, drift and pictures are made without reading the
rows again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.profiling.histograms import SECONDS_PER_BIN, Histogram, from_sorted, number_bins
from ml_assets.core.tables.schemas import PROFILE_SCHEMA

NUMBER, TEXT, TIME = "number", "text", "time"
MOST_VALUES = 100
_PLAIN = [field.name for field in PROFILE_SCHEMA if not pa.types.is_list(field.type)]
# U+FFFD stands where bytes could not be decoded; the other two are what UTF-8 looks like when it was decoded as Latin-1
# or Windows-1252.
BROKEN_TEXT = "\\x{FFFD}|[\\x{C2}\\x{C3}][\\x{80}-\\x{BF}]"


@dataclass(frozen=True)
class Profile:
    """One column of one day.

    kind: NUMBER (integers, numbers, booleans), TEXT or TIME. rows: of the day. missing, infinite: rows without a value,
    and with an infinite one. distinct: different values among the others. minimum, maximum, mean: of finite numbers; of
    a time, seconds of the local day; None for text or where there is none. histogram: counts by number bin, by length
    of the text in characters, or by five minutes of the local day. values: counts of the 100 most frequent texts, the
    most frequent first. non_ascii, broken: texts with a character beyond ASCII, and with traces of a wrong encoding.
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
        """Rows with a finite value: of a target, the labelled rows."""
        return self.rows - self.missing - self.infinite

    @property
    def positives(self) -> int:
        """Rows of a column of 0 and 1, or of booleans, that are 1."""
        return int(self.histogram.weight(int(number_bins(np.array([1.0]))[0])))


def profile_columns(table: pa.Table, time_zone: str) -> pa.Table:
    """A row with `PROFILE` for each column; no rows for a table without rows.

    Nothing is sampled and the order of rows does not matter.

    Args:
        table: columns of integers, floats, booleans, text, and timestamps with a zone.
        time_zone: IANA name of the zone in which the day of a time begins.

    Raises:
        TypeError: when a column has another type; names it.
    """
    columns = zip(table.column_names, table.columns, strict=True) if table.num_rows else ()
    return pa.Table.from_pylist([_profile(name, column, time_zone) for name, column in columns], schema=PROFILE_SCHEMA)


def read_profiles(table: pa.Table) -> dict[date, dict[str, Profile]]:
    """Profiles by day and column, from rows with `day` and the columns of `PROFILE`; others are left aside."""
    found: dict[date, dict[str, Profile]] = {}
    lists = [_slices(table[name]) for name in ("bins", "counts", "values", "value_counts")]
    for row, bins, counts, values, of_value in zip(table.select(["day", *_PLAIN]).to_pylist(), *lists, strict=True):
        day, histogram = row.pop("day"), Histogram(bins.astype(np.int64), counts.astype(np.float64))
        frequent = dict(zip(values.tolist(), of_value.tolist(), strict=True))
        found.setdefault(day, {})[row["name"]] = Profile(**row, histogram=histogram, values=frequent)
    return found


def _slices(column: pa.ChunkedArray) -> list[np.ndarray]:
    """The lists of a column as arrays; a list of Python objects for each would take most of the time of reading."""
    lists = column.combine_chunks()
    return (
        np.split(lists.flatten().to_numpy(zero_copy_only=False), np.cumsum(lists.value_lengths().to_numpy())[:-1])
        if len(lists)
        else []
    )


def _profile(name: str, column: pa.ChunkedArray, time_zone: str) -> dict[str, object]:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        profile = _of_times(column, time_zone)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        profile = _of_text(column)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        profile = _of_numbers(column)
    else:
        raise TypeError(
            f"{name}: a column of type {kind} has no profile; it has to be a number, a boolean, text or a timestamp with a zone"
        )
    nothing = {"infinite": 0, "values": [], "value_counts": [], "non_ascii": 0, "broken": 0}
    return {**nothing, "name": name, "rows": len(column), "missing": column.null_count, **profile}


def _of_numbers(column: pa.ChunkedArray) -> dict[str, object]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    values = column.to_numpy().astype(np.float64, copy=False)
    # Sums depend on the order; that of the sorted values is always the same. NaN comes last.
    ordered = np.sort(values)
    first, last, there = (
        int(np.searchsorted(ordered, end, side))
        for end, side in ((-np.inf, "right"), (np.inf, "left"), (np.nan, "left"))
    )
    finite = ordered[first:last]
    figures = _figures(finite, from_sorted(number_bins(finite)))
    return {**figures, "kind": NUMBER, "missing": len(values) - there, "infinite": there - len(finite)}


def _of_times(column: pa.ChunkedArray, time_zone: str) -> dict[str, object]:
    import pandas as pd

    local = (
        pd.DatetimeIndex(column.drop_null().cast(pa.timestamp("us", "UTC")).to_pandas())
        .tz_convert(ZoneInfo(time_zone))
        .tz_localize(None)
    )
    seconds = np.sort((local - local.normalize()).to_numpy("timedelta64[us]").astype(np.int64) / 1e6)
    return {**_figures(seconds, from_sorted((seconds // SECONDS_PER_BIN).astype(np.int64))), "kind": TIME}


def _figures(ordered: np.ndarray, histogram: Histogram) -> dict[str, object]:
    """What is stored of finite values in ascending order."""
    there = len(ordered) > 0
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(ordered.mean()) if there else None
    if mean is not None and not np.isfinite(mean):
        mean = float((ordered / len(ordered)).sum())
    return {
        "distinct": int(there) + int(np.count_nonzero(ordered[1:] != ordered[:-1])),
        "minimum": float(ordered[0]) if there else None,
        "maximum": float(ordered[-1]) if there else None,
        "mean": mean,
        **_stored(histogram),
    }


def _of_text(column: pa.ChunkedArray) -> dict[str, object]:
    counted = column.drop_null().combine_chunks().value_counts()
    texts, counts = counted.field("values"), counted.field("counts")
    numbers = counts.to_numpy()
    frequent = pa.table([texts, counts], ["text", "count"]).sort_by([("count", "descending"), ("text", "ascending")])[
        :MOST_VALUES
    ]
    lengths, in_bytes = (
        pc.call_function(name, [texts]).to_numpy(zero_copy_only=False).astype(np.int64)
        for name in ("utf8_length", "binary_length")
    )
    beyond = in_bytes > lengths
    looks_broken = pc.call_function("match_substring_regex", [texts], pc.MatchSubstringOptions(BROKEN_TEXT)).to_numpy(
        zero_copy_only=False
    )
    of_length = np.bincount(lengths, numbers, minlength=1)
    bins = np.flatnonzero(of_length)
    return {
        "kind": TEXT,
        "distinct": len(texts),
        **_stored(Histogram(bins, of_length[bins])),
        "values": frequent["text"].to_pylist(),
        "value_counts": frequent["count"].to_pylist(),
        "non_ascii": int(numbers[beyond].sum()),
        "broken": int(numbers[looks_broken.astype(bool)].sum()),
    }


def _stored(histogram: Histogram) -> dict[str, object]:
    return {"bins": histogram.bins.tolist(), "counts": histogram.weights.astype(np.int64).tolist()}
