"""Metrics of classifiers of several classes, as functions of classes and probabilities.

A class is its position among the classes of the model, from 0. The predicted class of a row is the one with the highest
probability, the first of equal ones. A metric that is undefined for its rows is NaN, never an exception. No result
depends on the order of the rows, not even in its last digit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.resampled import (
    Floats,
    mean_of_defined,
    positive_weights,
    ratio,
)


class MulticlassMetrics:
    """The metrics of a classifier of K classes, for weighted rows, which are sorted once for any number of resamples.

    Values are those of scikit-learn's functions of the names in brackets, with the weights as `sample_weight`, where
    these are defined:
    - log_loss: mean of -ln(probability of the true class), probabilities clipped 2.2e-16 away from 0 and 1
    - accuracy: share of rows whose predicted class is the true one (accuracy_score)
    - balanced_accuracy: mean of the recall of the classes that occur (balanced_accuracy_score)
    - f1_macro, f1_micro, f1_weighted: F1 of each class that occurs or is predicted, the mean of them, of all rows
      together, or weighted by the rows of each class (f1_score)
    - roc_auc_ovr: area under the ROC curve of each class against all others, the mean over the classes that occur
      (roc_auc_score with multi_class="ovr"); NaN unless two classes occur
    - top_k_accuracy: share of rows whose true class is among the k of the highest probabilities
      (top_k_accuracy_score)
    - precision_<class>: share of rows of the class among those predicted to be; NaN without any (precision_score)
    - recall_<class>: share of the rows of the class that are predicted to be (recall_score); NaN without any

    All are NaN without rows.
    """

    positives = None

    def __init__(
        self,
        classes: ArrayLike,
        probabilities: ArrayLike,
        names: Sequence[str],
        k: int = 2,
        weights: ArrayLike | None = None,
    ) -> None:
        """Sort n rows.

        Args:
            classes: position of the true class of each row, integers from 0 to K - 1, shape (n,).
            probabilities: probability of each class, from 0 to 1, shape (n, K).
            names: name of each class in the names of its metrics.
            k: number of classes of the top k accuracy.
            weights: sample weights above 0, shape (n,); None: every row counts once.

        Raises:
            ValueError: the shapes differ, a class is not a position, or a probability is not between 0 and 1.
        """
        truth, values = np.asarray(classes), np.asarray(probabilities, dtype=np.float64)
        if truth.ndim != 1 or values.shape != (len(truth), len(names)):
            raise ValueError(
                f"{len(names)} classes need probabilities of shape {(len(truth), len(names))}, not of {values.shape}"
            )
        if not np.isin(truth, np.arange(len(names))).all():
            raise ValueError(f"true classes must be positions from 0 to {len(names) - 1}")
        if bad := np.count_nonzero(~((values >= 0) & (values <= 1)).all(axis=1)):
            raise ValueError(f"{bad} of {len(truth)} rows have a probability that is missing or not between 0 and 1")
        self.rows = len(truth)
        given = positive_weights(weights, self.rows)
        predicted = values.argmax(axis=1) if self.rows else np.zeros(0, dtype=np.int64)
        # Rows with the same true and predicted class are neighbours, so that a cell of the confusion matrix is one sum.
        keys = [*([] if given is None else [given]), *values.T, predicted, truth]
        self.order = np.lexsort(keys)
        truth, predicted, values = truth[self.order].astype(np.int64), predicted[self.order], values[self.order]
        self._weights = None if given is None else given[self.order]
        self._names = list(names)
        cells = truth * len(names) + predicted
        self._cell_begins = np.flatnonzero(np.diff(cells, prepend=-1))
        self._cells = cells[self._cell_begins]
        tiny = np.finfo(np.float64).eps
        losses = -np.log(np.clip(values[np.arange(self.rows), truth], tiny, 1 - tiny))
        # The last of equal probabilities comes first, as in scikit-learn.
        ranked = np.argsort(values, axis=1, kind="mergesort")[:, ::-1][:, :k]
        self._terms = np.column_stack([losses, (ranked == truth[:, None]).any(axis=1)])
        self._ranks = [_Ranks(truth == position, values[:, position]) for position in range(len(names))]

    def sums(self, counts: NDArray) -> Floats:
        """Sum the cells of the confusion matrix, the losses and the ranks of each resample; see `ResampledMetrics`."""
        counts = np.asarray(counts, dtype=np.float64)
        if self._weights is not None:
            counts = counts * self._weights
        size = len(self._names)
        confusion = np.zeros((size * size, len(counts)))
        if self.rows:
            confusion[self._cells] = np.add.reduceat(counts, self._cell_begins, axis=1).T
        areas = [ranks.areas(counts) for ranks in self._ranks]
        return np.vstack([confusion, *areas, (counts @ self._terms).T])

    def values_of(self, sums: Floats) -> dict[str, Floats]:
        """Compute each metric for each resample from the `sums`."""
        size = len(self._names)
        confusion = sums[: size * size].T.reshape(-1, size, size)
        areas, (losses, among_top) = sums[size * size : -2].T, sums[-2:]
        right = np.diagonal(confusion, axis1=1, axis2=2)
        true, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
        total, all_right = true.sum(axis=1), right.sum(axis=1)
        precision, recall, f1 = ratio(right, predicted), ratio(right, true), ratio(2 * right, true + predicted)
        return {
            "log_loss": ratio(losses, total),
            "accuracy": ratio(all_right, total),
            "balanced_accuracy": mean_of_defined(recall),
            "f1_macro": mean_of_defined(f1),
            "f1_micro": ratio(all_right, total),
            "f1_weighted": ratio((np.nan_to_num(f1) * true).sum(axis=1), total),
            "roc_auc_ovr": mean_of_defined(areas),
            "top_k_accuracy": ratio(among_top, total),
            **{f"precision_{name}": precision[:, position] for position, name in enumerate(self._names)},
            **{f"recall_{name}": recall[:, position] for position, name in enumerate(self._names)},
        }


class _Ranks:
    """The rows in descending order of the probability of one class, for the area under its ROC curve."""

    def __init__(self, is_member: NDArray[np.bool_], scores: Floats) -> None:
        self._order = np.argsort(-scores, kind="stable")
        self._begins = np.flatnonzero(np.diff(-scores[self._order], prepend=-np.inf))
        self._member = is_member[self._order].astype(np.float64)

    def areas(self, counts: Floats) -> Floats:
        """Compute the area of each resample, the share of pairs of a member and another row in which the member has
        the higher score, ties counted half; NaN unless both occur.
        """
        if not len(self._order):
            return np.full(len(counts), np.nan)
        ordered = counts[:, self._order]
        members = np.add.reduceat(ordered * self._member, self._begins, axis=1)
        others = np.add.reduceat(ordered * (1 - self._member), self._begins, axis=1)
        all_others = others.sum(axis=1)
        outranked = all_others[:, None] - np.cumsum(others, axis=1) + others / 2
        return ratio((members * outranked).sum(axis=1), members.sum(axis=1) * all_others)
