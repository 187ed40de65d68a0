"""Precision among the rows, or entities, with the highest scores of each day.

Labels are integers 0 and 1, scores are floats between 0 and 1, one per row and in the same order. No result depends on
the order of the rows, not even in its last digit.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.tables.nul_characters import factorize


def daily_precision_at_k(days: ArrayLike, labels: ArrayLike, scores: ArrayLike, k: int) -> pd.Series:
    """Compute the share of positives among the K = min(k, rows of the day) highest scores, for each day with rows.

    Rows that tie for the last ranks count with their expected share. With c the K-th highest score, A the rows above c
    and T the rows at c: (positives in A + (K - |A|) / |T| x positives in T) / K. The Fraud Detection Handbook (chapter
    4, "Precision top-k") divides by k instead of K.

    Raises:
        ValueError: k is below 1.
    """
    classes, values = np.asarray(labels), np.asarray(scores)
    shares = {day: _precision_at_top(classes[rows], values[rows], k)[0] for day, rows in _rows_by_day(days)}
    return pd.Series(shares, dtype=np.float64)


def daily_entity_precision_at_k(
    days: ArrayLike, entities: ArrayLike, labels: ArrayLike, scores: ArrayLike, k: int
) -> pd.Series:
    """Compute the share of positives among the K = min(k, entities of the day) highest scoring entities of each day.

    The score of an entity is the highest of its rows of the day, and it is positive if any of them is. A positive
    entity in the top K of a day counts as detected, and is excluded on all later days: "CardPrecision@k" of the Fraud
    Detection Handbook, chapter 4, which divides by k instead of K. Ties for the last ranks count as in
    `daily_precision_at_k`; an entity in such a tie is not certainly detected, so it is not excluded. Rows without an
    entity and days without a remaining entity are ignored.

    Raises:
        ValueError: k is below 1.
    """
    classes, values = np.asarray(labels), np.asarray(scores)
    codes, names = factorize(pd.Series(np.asarray(entities)))
    is_detected = np.zeros(len(names), dtype=bool)
    shares: dict[object, float] = {}
    for day, day_rows in _rows_by_day(days):
        rows = day_rows[codes[day_rows] >= 0]
        rows = rows[~is_detected[codes[rows]]]
        if not len(rows):
            continue
        rows = rows[np.argsort(codes[rows])]
        begins = np.flatnonzero(np.diff(codes[rows], prepend=-1))
        is_positive = np.maximum.reduceat(classes[rows], begins)
        shares[day], is_certain = _precision_at_top(is_positive, np.maximum.reduceat(values[rows], begins), k)
        is_detected[codes[rows][begins][is_certain & (is_positive == 1)]] = True
    return pd.Series(shares, dtype=np.float64)


def _rows_by_day(days: ArrayLike) -> Iterator[tuple[object, NDArray[np.intp]]]:
    """Yield each day, ascending, and the positions of its rows; rows without a day are left out."""
    codes, names = pd.factorize(np.asarray(days), sort=True)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for number, day in enumerate(pd.Index(names)):
        yield day, order[bounds[number] : bounds[number + 1]]


def _precision_at_top(labels: NDArray, scores: NDArray, k: int) -> tuple[float, NDArray[np.bool_]]:
    """Return the expected share of positives among the k highest scores, and a mask of rows certainly among them."""
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    size = min(k, len(scores))
    last = np.sort(scores)[-size]
    above, tied = scores > last, scores == last
    open_ranks = size - np.count_nonzero(above)
    # Counts are summed before the one fraction is applied: sums of fractions would depend on the order of the rows.
    expected = labels[above].sum() + open_ranks * labels[tied].sum() / np.count_nonzero(tied)
    return float(expected / size), above | tied if open_ranks == np.count_nonzero(tied) else above
