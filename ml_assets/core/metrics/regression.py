"""Metrics of regressions, as functions of targets, predictions and, for quantile regression, predicted quantiles.

Targets and predictions are finite numbers in the same unit, one per row and in the same order. A metric that is
undefined for its rows is NaN, never an exception. No result depends on the order of the rows, not even in its last
digit.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.metrics.resampled import Floats, positive_weights, ratio

# A sum of squares below this share of its terms is a rounding error: the targets are constant.
ROUNDING = 1e-12


class RegressionMetrics:
    """The metrics of a regression, for weighted rows, which are sorted once for any number of resamples.

    Values are those of scikit-learn's functions of the names in brackets, with the weights as `sample_weight`:
    - rmse: root of the mean squared error (root_mean_squared_error), in the unit of the target
    - mae: mean absolute error (mean_absolute_error), in the unit of the target
    - median_absolute_error: median of the absolute errors, in the unit of the target
    - mape: mean of |error| / |target| (mean_absolute_percentage_error) over the rows whose target is not 0; 0.1 is
      10 %; NaN without such rows
    - smape: mean of 2 |error| / (|target| + |prediction|), which is 0 for a row where both are 0; from 0 to 2
      (Makridakis, Accuracy measures: theoretical and practical concerns, 1993)
    - r2: 1 - sum of squared errors / sum of squared deviations of the target from its mean (r2_score); NaN if all
      targets are equal
    - mean_bias: mean of prediction - target, above 0 if predictions are too high; in the unit of the target

    With predicted quantiles, also:
    - pinball_loss: mean_pinball_loss at each quantile, the mean over the quantiles; in the unit of the target
    - interval_coverage: share of the targets from the lowest to the highest quantile, both included; with at least two
      quantiles

    All are NaN without rows.
    """

    positives = None

    def __init__(
        self,
        targets: ArrayLike,
        predictions: ArrayLike,
        quantiles: Mapping[float, ArrayLike] | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        """Sort n rows.

        Args:
            targets: true values, shape (n,).
            predictions: predicted values, shape (n,).
            quantiles: predictions of each quantile, by its level between 0 and 1, each of shape (n,).
            weights: sample weights above 0, shape (n,); None: every row counts once.

        Raises:
            ValueError: the lengths differ, or a value is missing or infinite.
        """
        levels = sorted(quantiles or {})
        columns = [np.asarray(values, dtype=np.float64) for values in (targets, predictions)]
        columns += [np.asarray((quantiles or {})[level], dtype=np.float64) for level in levels]
        if any(column.ndim != 1 or len(column) != len(columns[0]) for column in columns):
            raise ValueError(f"targets and predictions differ in length: {', '.join(str(c.shape) for c in columns)}")
        if bad := np.count_nonzero(~np.isfinite(np.column_stack(columns)).all(axis=1)):
            raise ValueError(f"{bad} of {len(columns[0])} rows have a target or prediction that is missing or infinite")
        self.rows = len(columns[0])
        given = positive_weights(weights, self.rows)
        self.order = np.lexsort((*columns, *([] if given is None else [given])))
        truth, predicted, *bounds = (column[self.order] for column in columns)
        self._weights = np.ones(self.rows) if given is None else given[self.order]
        self._levels = len(levels)
        error = predicted - truth
        absolute = np.abs(error)
        self._by_error = np.argsort(absolute, kind="stable")
        self._ordered_errors = absolute[self._by_error]
        with np.errstate(over="ignore", invalid="ignore"):
            terms = [np.ones(self.rows), error**2, absolute, error, *_relative_errors(truth, predicted, absolute)]
            terms += _deviations(truth, self._weights)
            terms += [_pinball_losses(truth, bound, level) for bound, level in zip(bounds, levels, strict=True)]
            if self._levels > 1:
                terms.append(((bounds[0] <= truth) & (truth <= bounds[-1])).astype(np.float64))
            self._terms = np.column_stack(terms) * self._weights[:, None]

    def sums(self, counts: NDArray) -> Floats:
        """Sum the terms of each resample, and compute its median; see `ResampledMetrics`."""
        counts = np.asarray(counts, dtype=np.float64)
        return np.vstack([self._medians(counts), (counts @ self._terms).T])

    def values_of(self, sums: Floats) -> dict[str, Floats]:
        """Compute each metric for each resample from the `sums`."""
        median, total, squared, absolute, error, relative, relative_rows, symmetric, deviation, square, *rest = sums
        # The deviations are from the mean of all rows; the mean of a resample differs.
        spread = square - deviation * ratio(deviation, total)
        spread = np.where(spread > ROUNDING * square, spread, 0)
        values = {
            "rmse": np.sqrt(ratio(squared, total)),
            "mae": ratio(absolute, total),
            "median_absolute_error": median,
            "mape": ratio(relative, relative_rows),
            "smape": ratio(symmetric, total),
            "r2": 1 - ratio(squared, spread),
            "mean_bias": ratio(error, total),
        }
        if self._levels:
            values["pinball_loss"] = ratio(np.sum(rest[: self._levels], axis=0) / self._levels, total)
        if self._levels > 1:
            values["interval_coverage"] = ratio(rest[self._levels], total)
        return values

    def _medians(self, counts: Floats) -> Floats:
        """Return the weighted median of the absolute errors: the mean of two errors that halve the weights between
        them."""
        if not self.rows:
            return np.full(len(counts), np.nan)
        reached = np.cumsum((counts * self._weights)[:, self._by_error], axis=1)
        total = reached[:, -1]
        tolerance = np.finfo(np.float64).eps * np.maximum(total, 1)
        lower = np.argmax(reached >= (total / 2 - tolerance)[:, None], axis=1)
        upper = np.argmax(reached > (total / 2 + tolerance)[:, None], axis=1)
        middle = (self._ordered_errors[lower] + self._ordered_errors[upper]) / 2
        return np.where(total > 0, middle, np.nan)


def _relative_errors(truth: Floats, predicted: Floats, absolute: Floats) -> list[Floats]:
    """Return the terms of mape, whether a row has one, and the terms of smape."""
    has_ratio = truth != 0
    both = (np.abs(truth) + np.abs(predicted)) / 2
    return [
        np.divide(absolute, np.abs(truth), out=np.zeros(len(truth)), where=has_ratio),
        has_ratio.astype(np.float64),
        np.divide(absolute, both, out=np.zeros(len(truth)), where=both > 0),
    ]


def _deviations(truth: Floats, weights: Floats) -> list[Floats]:
    """Return the deviation of each target from the mean of all, and its square; 0 if all are equal."""
    if not len(truth) or truth.min() == truth.max():
        return [np.zeros(len(truth)), np.zeros(len(truth))]
    deviation = truth - np.average(truth, weights=weights)
    return [deviation, deviation**2]


def _pinball_losses(truth: Floats, predicted: Floats, level: float) -> Floats:
    return np.where(truth >= predicted, level * (truth - predicted), (1 - level) * (predicted - truth))
