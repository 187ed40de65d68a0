"""How good scores are: each metric as a plain function of labels, scores and a threshold.

Labels are integers 0 and 1, scores are floats between 0 and 1, one per row and in the same order. A row is decided
positive when its score is at least the threshold. A metric that is undefined for its rows is NaN, never an exception
and never 0 or 1, because a gate lets no NaN pass. No result depends on the order of the rows, not even in its last
digit.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

NAN = float("nan")
CALIBRATION_BINS = 10


def sorted_rows(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels and scores with the highest score first, and of equal scores the positives first: the same for every order
    of the rows.

    Raises:
        ValueError: when the lengths differ, a label is neither 0 nor 1, or a score is not between 0 and 1.
    """
    classes, values = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if classes.shape != values.shape or classes.ndim != 1:
        raise ValueError(f"labels and scores must be of one length, not of shape {classes.shape} and {values.shape}")
    if not ((classes == 0) | (classes == 1)).all():
        raise ValueError("labels must be 0 or 1; leave out rows whose label is not known")
    if bad := np.count_nonzero(~((values >= 0) & (values <= 1))):
        raise ValueError(f"{bad} of {len(values)} scores are missing or not between 0 and 1")
    order = np.lexsort((classes, values))[::-1]
    return classes[order].astype(np.int64), values[order]


class RowMetrics:
    """The nine metrics that need no day, for rows that count any number of times: sorts once, for however many
    resamples follow.

    Definitions and values are those of scikit-learn's functions of the same names with the counts as sample weights,
    where these are defined:
    - roc_auc: chance that a positive scores higher than a negative, ties counting half; NaN unless both classes occur
    - average_precision: sum over the distinct scores of (gain in recall) x precision, not interpolated; NaN unless both
    classes occur
    - precision: share of positives among the rows decided positive; NaN when no row is
    - recall: share of the positives that are decided positive; NaN when there are none
    - f1: 2 TP / (2 TP + FP + FN); NaN when no row is positive or decided positive
    - log_loss: mean of -ln(score given to the label), scores kept 2.2e-16 away from 0 and 1; NaN without rows
    - brier_score: mean of (score - label) squared; NaN without rows

    Two more say whether scores are probabilities:
    - calibration_ratio: sum of the scores / number of positives, 1 when as many positives came as the scores announced;
    NaN without positives
    - calibration_error: sum over ten bins of |sum of the scores - positives in the bin| / rows, which is the expected
      calibration error of Naeini, Cooper and Hauskrecht (Obtaining Well Calibrated Probabilities Using Bayesian
      Binning, 2015) with bins of equal row count instead of equal width (Nixon et al., Measuring Calibration in Deep
      Learning, 2019). Rows of equal score share a bin, that of the first of them from the highest score down, and the
      bins are fixed by the rows, not by how often they count; NaN without rows. Chance adds to it, in resamples twice
    """

    def __init__(self, labels: ArrayLike, scores: ArrayLike, threshold: float) -> None:
        """Sort n rows as `sorted_rows` does, which also says what it raises."""
        ordered, values = sorted_rows(labels, scores)
        self.rows = len(ordered)
        self.positives = int(ordered.sum())
        # Ranks are needed only at the distinct scores that a positive has: few, when positives are rare.
        begins = np.flatnonzero(np.diff(values, prepend=np.inf))
        self._positive_rows = np.flatnonzero(ordered)
        distinct, self._first_positive = np.unique(
            np.searchsorted(begins, self._positive_rows, side="right") - 1, return_index=True
        )
        self._tie_begins, self._tie_ends = begins[distinct], np.append(begins, self.rows)[distinct + 1]
        self._decided = np.count_nonzero(values >= threshold)
        self._ties_decided = np.count_nonzero(self._tie_begins < self._decided)
        tiny = np.finfo(np.float64).eps
        given_to_label = np.clip(np.where(ordered == 1, values, 1 - values), tiny, 1 - tiny)
        self._losses = np.column_stack([-np.log(given_to_label), (values - ordered) ** 2, values])
        self._excess = values - ordered
        self._bin_begins = _bin_begins(begins, self.rows)

    def of(self, counts: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Each metric for each of s resamples, when in resample i the row j of the sorted rows counts counts[i, j]
        times; counts of shape (s, n).

        With P positives and N negatives in all, and for each distinct score that a positive has: h positives and m
        negatives at it, a negatives above it, t positives and r rows at or above it: roc_auc = sum of h (N - a - m / 2)
        / (P N), average_precision = sum of (h / P) (t / r).
        """
        reached, true_reached = _running(counts), _running(self._hits(counts))
        total, positives = reached[:, -1], true_reached[:, -1]
        negatives = total - positives
        decided, true_decided = reached[:, self._decided], true_reached[:, self._ties_decided]
        above, through = reached[:, self._tie_begins], reached[:, self._tie_ends]
        hits, negatives_above, negatives_through = (
            np.diff(true_reached),
            above - true_reached[:, :-1],
            through - true_reached[:, 1:],
        )
        outranked = negatives[:, None] - (negatives_above + negatives_through) / 2
        gained = (hits * true_reached[:, 1:] / np.maximum(through, 1)).sum(axis=1)
        losses = counts.astype(np.float64) @ self._losses
        return {
            "roc_auc": _ratio((hits * outranked).sum(axis=1), positives * negatives),
            "average_precision": _ratio(gained, np.where(negatives > 0, positives, 0)),
            "precision": _ratio(true_decided, decided),
            "recall": _ratio(true_decided, positives),
            "f1": _ratio(2 * true_decided, decided + positives),
            "log_loss": _ratio(losses[:, 0], total),
            "brier_score": _ratio(losses[:, 1], total),
            "calibration_ratio": _ratio(losses[:, 2], positives),
            "calibration_error": _ratio(self._miscalibrated(counts), total),
        }

    def once(self) -> dict[str, float]:
        """Each metric when every row counts once."""
        return {name: float(value[0]) for name, value in self.of(np.ones((1, self.rows), dtype=np.int64)).items()}

    def _miscalibrated(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sum over the bins of |sum of the scores - positives| of each resample."""
        if not self.rows:
            return np.zeros(len(counts))
        return np.abs(np.add.reduceat(counts * self._excess, self._bin_begins, axis=1)).sum(axis=1)

    def _hits(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self.positives:
            return np.zeros((len(counts), 0), dtype=np.int64)
        return np.add.reduceat(counts[:, self._positive_rows], self._first_positive, axis=1)


def point_metrics(labels: ArrayLike, scores: ArrayLike, threshold: float) -> dict[str, float]:
    """The metrics of `RowMetrics` by name, every row counting once.

    Raises:
        ValueError: when the lengths differ, a label is neither 0 nor 1, or a score is not between 0 and 1.
    """
    return RowMetrics(labels, scores, threshold).once()


def daily_precision_at_k(days: ArrayLike, labels: ArrayLike, scores: ArrayLike, k: int) -> pd.Series:
    """Share of positives among the K = min(k, rows of the day) highest scores of each day that has rows, by day.

    Rows that tie for the last places count with their expected share. With c the K-th highest score, A the rows above c
    and T the rows at c: (positives in A + (K - |A|) / |T| x positives in T) / K. The Fraud Detection Handbook (chapter
    4, "Precision top-k") divides by k instead of K.

    Raises:
        ValueError: when k is below 1.
    """
    rows = pd.DataFrame({"day": np.asarray(days), "label": np.asarray(labels), "score": np.asarray(scores)})
    shares = {day: _top(np.asarray(one["label"]), np.asarray(one["score"]), k)[0] for day, one in rows.groupby("day")}
    return pd.Series(shares, dtype=np.float64)


def precision_at_k(days: ArrayLike, labels: ArrayLike, scores: ArrayLike, k: int) -> float:
    """Mean over the days of `daily_precision_at_k`; NaN without rows."""
    return float(daily_precision_at_k(days, labels, scores, k).mean())


def daily_entity_precision_at_k(
    days: ArrayLike, entities: ArrayLike, labels: ArrayLike, scores: ArrayLike, k: int
) -> pd.Series:
    """Share of positives among the K = min(k, entities of the day) highest scoring entities of each day, by day.

    An entity has the highest score of its rows of the day, and is positive when any of them is. A positive entity that
    was among the K of a day is found, and left out on all later days: "CardPrecision@k" of the Fraud Detection
    Handbook, chapter 4, which divides by k instead of K. Ties for the last places count as in `daily_precision_at_k`;
    an entity that ties for them is not sure to be found, so it stays. Rows without an entity do not count, nor do days
    on which no entity is left.

    Raises:
        ValueError: when k is below 1.
    """
    rows = pd.DataFrame(
        {
            "day": np.asarray(days),
            "entity": np.asarray(entities),
            "label": np.asarray(labels),
            "score": np.asarray(scores),
        }
    )
    best = rows.groupby(["day", "entity"], observed=True)[["label", "score"]].max().reset_index()
    found: list[object] = []
    shares: dict[object, float] = {}
    for day, one in best.groupby("day"):
        left = one[~one["entity"].isin(found)]
        if left.empty:
            continue
        positive = np.asarray(left["label"])
        shares[day], sure = _top(positive, np.asarray(left["score"]), k)
        found.extend(left["entity"][sure & (positive == 1)])
    return pd.Series(shares, dtype=np.float64)


def entity_precision_at_k(days: ArrayLike, entities: ArrayLike, labels: ArrayLike, scores: ArrayLike, k: int) -> float:
    """Mean over the days of `daily_entity_precision_at_k`; NaN without rows."""
    return float(daily_entity_precision_at_k(days, entities, labels, scores, k).mean())


def _bin_begins(begins: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Where each bin begins, given where each distinct score does: the first tie at or after each tenth of the rows."""
    tenths = begins * CALIBRATION_BINS // max(rows, 1)
    return begins[np.unique(tenths, return_index=True)[1]]


def _running(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of the first 0, 1, 2, ... counts of each resample."""
    sums = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int64)
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return sums


def _ratio(part: NDArray, whole: NDArray) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), NAN), where=whole > 0)


def _top(labels: NDArray, scores: NDArray, k: int) -> tuple[float, NDArray[np.bool_]]:
    """Expected share of positives among the k highest scores, and which rows are among them however ties are broken."""
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    size = min(k, len(scores))
    last = np.sort(scores)[-size]
    above, tied = scores > last, scores == last
    places = size - np.count_nonzero(above)
    # Counts are summed before the one fraction is applied: sums of fractions would depend on the order of the rows.
    expected = labels[above].sum() + places * labels[tied].sum() / np.count_nonzero(tied)
    return float(expected / size), above | tied if places == np.count_nonzero(tied) else above
