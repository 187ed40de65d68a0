"""Metrics of binary classifiers, as functions of labels, scores and a threshold.

Labels are integers 0 and 1, scores are floats between 0 and 1, one per row and in the same order. The decision for a
row is positive if its score is at least the threshold. A metric that is undefined for its rows is NaN, never an
exception and never 0 or 1, because a gate does not pass NaN. No result depends on the order of the rows, not even in
its last digit.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.resampled import point_values, positive_weights, ratio

CALIBRATION_BINS = 10
# A sum of weights this small is a rounding error and not a row.
ROUNDING = 1e-12


def sorted_rows(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sort labels and scores by descending score, positives first among equal scores.

    The result is the same for every order of the rows.

    Raises:
        ValueError: the lengths differ, a label is neither 0 nor 1, or a score is not between 0 and 1.
    """
    classes, values = _checked_rows(labels, scores)
    order = descending_order(classes, values)
    return classes[order].astype(np.int64), values[order]


def _checked_rows(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray, NDArray[np.float64]]:
    classes, values = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if classes.shape != values.shape or classes.ndim != 1:
        raise ValueError(f"labels and scores must have the same length, not shapes {classes.shape} and {values.shape}")
    if not ((classes == 0) | (classes == 1)).all():
        raise ValueError("labels must be 0 or 1; leave out rows whose label is unknown")
    if bad := np.count_nonzero(~((values >= 0) & (values <= 1))):
        raise ValueError(f"{bad} of {len(values)} scores are missing or not between 0 and 1")
    return classes, values


def descending_order(labels: NDArray, scores: NDArray) -> NDArray[np.int64]:
    """Return the positions of the rows by descending score, positives first among equal scores."""
    return np.lexsort((labels, scores))[::-1]


class RowMetrics:
    """The nine metrics that do not depend on the day, for weighted rows, which are sorted once for any number of
    resamples.

    Definitions and values are those of scikit-learn's functions of the same names with counts times weights as sample
    weights, where these are defined; `rows` and `positives` below mean the sums of their weights:
    - roc_auc: probability that a positive scores higher than a negative, ties counted half; NaN unless both classes
      occur
    - average_precision: sum over the distinct scores of (gain in recall) x precision, not interpolated; NaN unless both
      classes occur
    - precision: share of positives among positive decisions; NaN without positive decisions
    - recall: share of the positives with a positive decision; NaN without positives
    - f1: 2 TP / (2 TP + FP + FN); NaN without positives and positive decisions
    - log_loss: mean of -ln(probability given to the label), scores clipped 2.2e-16 away from 0 and 1; NaN without rows
    - brier_score: mean of (score - label) squared; NaN without rows

    Two more measure the calibration of the scores:
    - calibration_ratio: sum of the scores / number of positives, 1 if the scores predict the number of positives; NaN
      without positives
    - calibration_error: sum over ten bins of |sum of the scores - positives in the bin| / rows. This is the expected
    calibration error of Naeini, Cooper and Hauskrecht (Obtaining Well Calibrated Probabilities Using Bayesian Binning,
    2015) with bins of equal row count instead of equal width (Nixon et al., Measuring Calibration in Deep Learning,
    2019). Rows of equal score share the bin of the first of them in descending order, and the bins depend on the rows,
    not on their counts; NaN without rows. Chance increases it, and resampling increases it again.

    Two are computed from the distinct scores of positives. With P positives and N negatives in all, and for each such
    score h positives and m negatives at it, a negatives above it, t positives and r rows at or above it: roc_auc = sum
    of h (N - a - m / 2) / (P N), average_precision = sum of (h / P) (t / r).
    """

    def __init__(
        self, labels: ArrayLike, scores: ArrayLike, threshold: float, weights: ArrayLike | None = None
    ) -> None:
        """Sort n rows as `sorted_rows` does, which documents the errors.

        Args:
            labels: 0 or 1, shape (n,).
            scores: between 0 and 1, shape (n,).
            threshold: lowest score of a positive decision.
            weights: sample weights above 0, shape (n,); None: every row counts once.
        """
        classes, given_scores = _checked_rows(labels, scores)
        given = positive_weights(weights, len(classes))
        keys = (classes, given_scores) if given is None else (given, classes, given_scores)
        self.order = np.lexsort(keys)[::-1]
        ordered, values = classes[self.order].astype(np.int64), given_scores[self.order]
        self._weights = None if given is None else given[self.order]
        self.rows = len(ordered)
        self.positives = int(ordered.sum())
        # Ranks are needed only at the distinct scores of positives, of which there are few if positives are rare.
        begins = np.flatnonzero(np.diff(values, prepend=np.inf))
        self._positive_rows = np.flatnonzero(ordered)
        distinct, self._first_positive = np.unique(
            np.searchsorted(begins, self._positive_rows, side="right") - 1, return_index=True
        )
        tie_begins, tie_ends = begins[distinct], np.append(begins, self.rows)[distinct + 1]
        decided = np.count_nonzero(values >= threshold)
        self._ties_decided = np.count_nonzero(tie_begins < decided)
        # Counts are summed between borders: positions above which a metric needs the number of rows.
        borders = np.unique(np.concatenate([[0], tie_begins, tie_ends, [decided]]))
        self._borders = borders[borders < self.rows]
        self._tie_begins, self._tie_ends, self._decided = (
            np.searchsorted(self._borders, rows) for rows in (tie_begins, tie_ends, decided)
        )
        tiny = np.finfo(np.float64).eps
        given_to_label = np.clip(np.where(ordered == 1, values, 1 - values), tiny, 1 - tiny)
        self._losses = np.column_stack([-np.log(given_to_label), (values - ordered) ** 2, values])
        self._excess = values - ordered
        self._bin_begins = _bin_begins(begins, self.rows)
        self._products = np.empty((0, self.rows))

    def sums(self, counts: NDArray) -> NDArray[np.float64]:
        """Compute the sums of which the metrics of each resample are ratios, shape (sums, s); sums of further resamples
        may be concatenated. See `ResampledMetrics`.
        """
        counts = np.asarray(counts, dtype=np.float64)
        if self._weights is not None:
            counts = counts * self._weights
        reached, true_reached = _cumulative_sums(self._between_borders(counts)), _cumulative_sums(self._at_ties(counts))
        total, positives = reached[:, -1], true_reached[:, -1]
        negatives = total - positives
        negatives = np.where(negatives > ROUNDING * total, negatives, 0)
        decided, true_decided = reached[:, self._decided], true_reached[:, self._ties_decided]
        above, through = reached[:, self._tie_begins], reached[:, self._tie_ends]
        hits, negatives_above, negatives_through = (
            np.diff(true_reached),
            above - true_reached[:, :-1],
            through - true_reached[:, 1:],
        )
        outranked = negatives[:, None] - (negatives_above + negatives_through) / 2
        gained = np.divide(hits * true_reached[:, 1:], through, out=np.zeros(through.shape), where=through > 0).sum(
            axis=1
        )
        losses = counts @ self._losses
        ranked, gaps = (hits * outranked).sum(axis=1), self._calibration_gaps(counts)
        return np.stack([total, positives, negatives, decided, true_decided, ranked, gained, *losses.T, gaps])

    @staticmethod
    def values_of(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Compute each metric for each resample from the `sums`."""
        total, positives, negatives, decided, true_decided, ranked, gained, *losses, gaps = sums
        return {
            "roc_auc": ratio(ranked, positives * negatives),
            "average_precision": ratio(gained, np.where(negatives > 0, positives, 0)),
            "precision": ratio(true_decided, decided),
            "recall": ratio(true_decided, positives),
            "f1": ratio(2 * true_decided, decided + positives),
            "log_loss": ratio(losses[0], total),
            "brier_score": ratio(losses[1], total),
            "calibration_ratio": ratio(losses[2], positives),
            "calibration_error": ratio(gaps, total),
        }

    def _calibration_gaps(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum |sum of the scores - positives| over the bins, for each resample."""
        if not self.rows:
            return np.zeros(len(counts))
        if len(self._products) < len(counts):
            self._products = np.empty(counts.shape)
        products = np.multiply(counts, self._excess, out=self._products[: len(counts)])
        return np.abs(np.add.reduceat(products, self._bin_begins, axis=1)).sum(axis=1)

    def _between_borders(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.add.reduceat(counts, self._borders, axis=1) if self.rows else counts

    def _at_ties(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum the counts of the positives at each distinct score of a positive."""
        if not self.positives:
            return np.zeros((len(counts), 0))
        return np.add.reduceat(counts[:, self._positive_rows], self._first_positive, axis=1)


def point_metrics(
    labels: ArrayLike, scores: ArrayLike, threshold: float, weights: ArrayLike | None = None
) -> dict[str, float]:
    """Compute the metrics of `RowMetrics` by name, with every row counted once, or by its sample weight.

    Raises:
        ValueError: the lengths differ, a label is neither 0 nor 1, or a score is not between 0 and 1.
    """
    return point_values(RowMetrics(labels, scores, threshold, weights))


def _bin_begins(begins: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return the first row of each bin: the first row of a distinct score at or after each tenth of the rows."""
    tenths = begins * CALIBRATION_BINS // max(rows, 1)
    return begins[np.unique(tenths, return_index=True)[1]]


def _cumulative_sums(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of the first 0, 1, 2, ... counts of each resample, exact below 2^53."""
    sums = np.zeros((len(counts), counts.shape[1] + 1))
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return sums
