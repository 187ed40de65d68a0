"""The interface of metrics that are computed for many resamples of the same rows, and its arithmetic."""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

NAN = float("nan")
Floats = NDArray[np.float64]


class ResampledMetrics(Protocol):
    """Metrics of a number of rows, which are sorted once, so that no result depends on the order of the rows.

    rows: number of rows, n. positives: number of positives, None where no class is the positive one. order: position
    of each sorted row among the given ones, shape (n,).
    """

    @property
    def rows(self) -> int: ...  # noqa: D102

    @property
    def positives(self) -> int | None: ...  # noqa: D102

    @property
    def order(self) -> NDArray[np.int64]: ...  # noqa: D102

    def sums(self, counts: NDArray) -> Floats:
        """Compute the sums that the metrics of s resamples depend on; sums of further resamples may be concatenated.

        Args:
            counts: number of times that each resample contains each of the sorted rows, whole numbers of shape (s, n).

        Returns:
            Shape (sums, s).
        """
        ...

    def values_of(self, sums: Floats) -> dict[str, Floats]:
        """Compute each metric for each resample from the `sums`, NaN where undefined."""
        ...


def evaluate(metrics: ResampledMetrics, counts: NDArray) -> dict[str, Floats]:
    """Compute each metric for each of s resamples, from counts of shape (s, n) of the sorted rows."""
    return metrics.values_of(metrics.sums(counts))


def point_values(metrics: ResampledMetrics) -> dict[str, float]:
    """Compute each metric with every row counted once."""
    return {name: float(value[0]) for name, value in evaluate(metrics, np.ones((1, metrics.rows))).items()}


def ratio(part: NDArray, whole: NDArray) -> Floats:
    """Divide element by element, NaN where the whole is not above 0."""
    return np.divide(part, whole, out=np.full(np.shape(whole), NAN), where=whole > 0)


def mean_of_defined(values: Floats) -> Floats:
    """Return the mean of the values of each row that are not NaN, shape (s, k) to (s,); NaN if all are NaN."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0).sum(axis=1), defined.sum(axis=1))


def positive_weights(weights: ArrayLike | None, rows: int) -> Floats | None:
    """Return sample weights as floats; None where every row counts once.

    Raises:
        ValueError: there is not one weight for each row, or a weight is not a number above 0.
    """
    if weights is None:
        return None
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (rows,):
        raise ValueError(f"sample weights have shape {values.shape}, the rows {(rows,)}")
    if bad := np.count_nonzero(~((values > 0) & np.isfinite(values))):
        raise ValueError(f"{bad} of {rows} sample weights are not numbers above 0; leave out rows of weight 0")
    return values
