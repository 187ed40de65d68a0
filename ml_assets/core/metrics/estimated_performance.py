"""Confidence-based performance estimation: metrics of scored rows before their labels are known.

The method is CBPE as NannyML describes it
(https://nannyml.readthedocs.io/en/stable/how_it_works/performance_estimation.html): if a row with the calibrated score
p is positive with the probability p, then it counts as p positives and 1 - p negatives in every sum that its label
would enter. The estimate is valid while the relation of scores and labels is that of the calibration: it reflects
changes in the distribution of the rows (covariate shift) but not in that relation (concept drift). The realised metrics
show afterwards whether it was valid.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.counts import count
from ml_assets.core.metrics.bootstrap import Interval, draw_counts, percentile_interval
from ml_assets.core.metrics.classification import RowMetrics, descending_order, sorted_rows
from ml_assets.core.model_spec.types.metric_names import ESTIMATED

Draw = Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]


def why_not_estimated(labels: ArrayLike, minimum: int) -> str | None:
    """Explain why scores cannot be calibrated; None if they can.

    Args:
        labels: labels of the rows to calibrate with, 0 or 1.
        minimum: number of positives, and of negatives, that a calibration needs.
    """
    positives, rows = int(np.sum(labels)), len(np.asarray(labels))
    if min(positives, rows - positives) < minimum:
        present = f"{count(positives, 'positive')} and {count(rows - positives, 'negative')}"
        return f"the holdout has {present}; a calibration needs {minimum} of each"
    return None


class IsotonicCalibration:
    """The probability of a positive given a score, as a monotone function fitted to labelled rows.

    Between the scores of the labelled rows it is linear, and beyond them constant, as in scikit-learn's
    `IsotonicRegression(out_of_bounds="clip")`.

    Args:
        labels: 0 or 1, shape (n,).
        scores: from 0 to 1, shape (n,).

    Raises:
        ValueError: as `sorted_rows`.
    """

    def __init__(self, labels: ArrayLike, scores: ArrayLike) -> None:
        ordered, values = sorted_rows(labels, scores)
        self._labels = ordered[::-1].astype(np.float64)
        self._scores, self._begins = np.unique(values[::-1], return_index=True)
        self.rows = len(ordered)

    def probabilities(self, scores: ArrayLike, counts: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the probability of a positive for each score, shape (m,).

        Args:
            scores: from 0 to 1, shape (m,).
            counts: number of times that each labelled row counts, by ascending score, shape (n,); once by default.
        """
        from sklearn.isotonic import isotonic_regression

        counts = np.ones(self.rows) if counts is None else counts
        totals = np.add.reduceat(counts, self._begins)
        positives = np.add.reduceat(counts * self._labels, self._begins)
        drawn = totals > 0
        shares = positives[drawn] / totals[drawn]
        fitted = isotonic_regression(shares, sample_weight=totals[drawn], y_min=0.0, y_max=1.0)
        return np.interp(np.asarray(scores, dtype=np.float64), self._scores[drawn], fitted)


class UnlabelledRows:
    """Scored rows without labels, sorted once for any number of probabilities of their labels.

    Args:
        scores: from 0 to 1, shape (m,).
        threshold: lowest score of a positive decision.

    Raises:
        ValueError: when a score is missing or not between 0 and 1.
    """

    def __init__(self, scores: ArrayLike, threshold: float) -> None:
        self.scores = np.asarray(scores, dtype=np.float64)
        # Each row occurs twice: as a positive and as a negative.
        classes = np.repeat([1, 0], len(self.scores))
        self._order = descending_order(classes, np.tile(self.scores, 2))
        self._metrics = RowMetrics(classes, np.tile(self.scores, 2), threshold)

    def sums(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the sums of which the metrics are ratios, see `RowMetrics.sums`.

        Args:
            probabilities: probability that the label of each row is 1, or the labels themselves, shape (m,).
        """
        return self._metrics.sums(np.concatenate([probabilities, 1 - probabilities])[self._order][None, :])

    def expected(self, probabilities: NDArray[np.float64]) -> dict[str, float]:
        """Return each of the metrics `ESTIMATED`, with expected counts in place of counts; NaN where undefined."""
        values = RowMetrics.values_of(self.sums(probabilities))
        return {name: float(values[name][0]) for name in ESTIMATED}


class PerformanceEstimate:
    """The estimated metrics of scored rows.

    Args:
        calibration: calibration from labelled rows of the same model.
        scores: scores of the rows without labels, from 0 to 1, shape (m,).
        threshold: lowest score of a positive decision.
    """

    def __init__(self, calibration: IsotonicCalibration, scores: ArrayLike, threshold: float) -> None:
        self._calibration = calibration
        self._rows = UnlabelledRows(scores, threshold)

    @cached_property
    def _probabilities(self) -> NDArray[np.float64]:
        return self._calibration.probabilities(self._rows.scores)

    @property
    def positives(self) -> float:
        """Expected number of positives."""
        return float(self._probabilities.sum())

    def values(self) -> dict[str, float]:
        """Return the estimated value of each of the metrics `ESTIMATED`; NaN where undefined."""
        return self._rows.expected(self._probabilities)

    def intervals(self, samples: int, confidence: float, seed: int) -> dict[str, Interval]:
        """Compute (low, high) of each metric: the range of the realised metric of these rows at this confidence, if the
        calibration still holds.

        Each sample draws the labelled rows of the calibration with replacement and calibrates anew (the uncertainty of
        the calibration); then it draws a label for each row with its probability (the chance in the labels). Samples in
        which a metric is undefined are ignored for it.

        Args:
            samples: number of samples.
            confidence: share of the samples within the interval.
            seed: seed of the random numbers.
        """

        def draw(counts: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
            probabilities = self._calibration.probabilities(self._rows.scores, counts)
            labels = random.random(len(probabilities)) < probabilities
            return self._rows.sums(labels.astype(np.float64))

        values = RowMetrics.values_of(sample_sums(self._calibration.rows, samples, seed, draw))
        return {name: percentile_interval(values[name], confidence) for name in ESTIMATED}


def sample_sums(rows: int, samples: int, seed: int, draw: Draw) -> NDArray[np.float64]:
    """Return the sums of all samples, one column each.

    Args:
        rows: number of labelled rows of the calibration.
        samples: number of samples.
        seed: seed of the random numbers.
        draw: returns the sums of labels that it draws, given how often each labelled row counts in the calibration.
    """
    random = np.random.default_rng(seed)
    counts_of_samples = (counts for part in draw_counts(rows, samples, seed) for counts in part)
    return np.concatenate([draw(counts, random) for counts in counts_of_samples], axis=1)
