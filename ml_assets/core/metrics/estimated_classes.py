"""Confidence-based performance estimation of classifiers of several classes, see `estimated_performance`.

Each class is calibrated against all others, and the probabilities of a row are divided by their sum, as NannyML does. A
row with the calibrated probabilities p then counts as p[c] rows of each class c.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.bootstrap import Interval, percentile_interval
from ml_assets.core.metrics.estimated_performance import IsotonicCalibration, sample_sums
from ml_assets.core.metrics.multiclass import MulticlassMetrics
from ml_assets.core.metrics.resampled import Floats


def why_classes_not_estimated(classes: ArrayLike, names: Sequence[str], minimum: int) -> str | None:
    """Explain why the probabilities of classes cannot be calibrated; None if they can.

    Args:
        classes: position of the true class of each row to calibrate with, shape (n,).
        names: name of each class.
        minimum: number of rows of each class, and of all others, that a calibration needs.
    """
    rows = np.bincount(np.asarray(classes, dtype=np.int64), minlength=len(names))
    scarce = [f"{count} of {name}" for name, count in zip(names, rows, strict=True) if count < minimum]
    return f"the holdout has {', '.join(scarce)}; a calibration needs {minimum} rows of each class" if scarce else None


class ClassCalibration:
    """The probability of each class given the predicted ones, fitted to labelled rows.

    Args:
        classes: position of the true class of each row, from 0 to K - 1, shape (n,).
        predicted: predicted probability of each class, from 0 to 1, shape (n, K).
    """

    def __init__(self, classes: ArrayLike, predicted: ArrayLike) -> None:
        truth, values = np.asarray(classes, dtype=np.int64), np.asarray(predicted, dtype=np.float64)
        order = np.lexsort([*values.T, truth])
        truth, values = truth[order], values[order]
        self.rows = len(truth)
        self._calibrations: list[tuple[IsotonicCalibration, NDArray[np.int64]]] = []
        for position, scores in enumerate(values.T):
            is_member = (truth == position).astype(np.int64)
            # A calibration counts its rows by ascending score.
            self._calibrations.append((IsotonicCalibration(is_member, scores), np.lexsort((is_member, scores))))

    def probabilities(self, predicted: Floats, counts: NDArray[np.float64] | None = None) -> Floats:
        """Return the calibrated probabilities of rows, shape (m, K); each row adds up to 1.

        Args:
            predicted: predicted probability of each class, shape (m, K).
            counts: number of times that each labelled row counts, shape (n,); once by default.
        """
        calibrated = np.column_stack(
            [
                calibration.probabilities(scores, None if counts is None else counts[order])
                for (calibration, order), scores in zip(self._calibrations, predicted.T, strict=True)
            ]
        )
        # A row whose calibrated probabilities are all 0 keeps its predicted ones.
        calibrated = np.where(calibrated.sum(axis=1, keepdims=True) > 0, calibrated, predicted)
        return calibrated / calibrated.sum(axis=1, keepdims=True)


class ClassEstimate:
    """The estimated metrics of rows with predicted probabilities and without labels.

    Args:
        calibration: calibration from labelled rows of the same model.
        predicted: predicted probability of each class, from 0 to 1, shape (m, K).
        names: name of each class in the names of its metrics.
        k: number of classes of the top k accuracy.
    """

    def __init__(self, calibration: ClassCalibration, predicted: ArrayLike, names: Sequence[str], k: int) -> None:
        self._calibration = calibration
        self._predicted = np.asarray(predicted, dtype=np.float64)
        # Each row is repeated for each class.
        rows, classes = self._predicted.shape
        self._metrics = MulticlassMetrics(
            np.repeat(np.arange(classes), rows), np.tile(self._predicted, (classes, 1)), names, k
        )

    @cached_property
    def _probabilities(self) -> Floats:
        return self._calibration.probabilities(self._predicted)

    def values(self) -> dict[str, float]:
        """Return the estimated value of each metric of `MulticlassMetrics`; NaN where undefined."""
        values = self._metrics.values_of(self._sums(self._probabilities))
        return {name: float(value[0]) for name, value in values.items()}

    def intervals(self, samples: int, confidence: float, seed: int) -> dict[str, Interval]:
        """Compute (low, high) of each metric, as `PerformanceEstimate.intervals`.

        Args:
            samples: number of samples.
            confidence: share of the samples within the interval.
            seed: seed of the random numbers.
        """

        def draw(counts: Floats, random: np.random.Generator) -> Floats:
            limits = np.cumsum(self._calibration.probabilities(self._predicted, counts), axis=1)
            # The last limit is 1 except for rounding.
            drawn = (random.random((len(limits), 1)) >= limits[:, :-1]).sum(axis=1)
            return self._sums(np.eye(limits.shape[1])[drawn])

        values = self._metrics.values_of(sample_sums(self._calibration.rows, samples, seed, draw))
        return {name: percentile_interval(value, confidence) for name, value in values.items()}

    def _sums(self, probabilities: Floats) -> Floats:
        return self._metrics.sums(probabilities.T.ravel()[self._metrics.order][None, :])
