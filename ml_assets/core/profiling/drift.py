"""Drift measures between a column of a day and its reference.

The measures are population stability index, Kolmogorov-Smirnov distance, Cramér's V and changes of shares. A measure
exceeds its bound if it is larger than the bound plus an allowance for chance: with few rows, the measures between two
samples from the same distribution are large. Without any change, the allowance alone is exceeded once in a hundred
times, bound plus allowance hardly ever.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ml_assets.core.metrics.kolmogorov_smirnov import critical_distance, ks_p_value, max_distance
from ml_assets.core.model_spec.checks.drift_checks import ColumnDriftCheck, DriftBounds
from ml_assets.core.profiling.histograms import Histogram
from ml_assets.core.profiling.profiles import TEXT, TIME, Profile
from ml_assets.core.profiling.reference_profile import Reference

Floats = NDArray[np.float64]
Distance = Literal["psi", "ks", "cramers_v"]
"""A measure of the distance between two distributions."""
Change = Literal["missing", "distinct", "broken_text", "non_ascii"]
"""A measure of the change of a share or a number."""
DISTANCES: tuple[str, ...] = get_args(Distance)
MEASURES = (*DISTANCES, *get_args(Change))
"""The names of all measures, in the order in which they are shown."""
TENTHS = 10
# Categories with fewer expected rows are merged, as for any chi-square test (W. G. Cochran, 1954).
MIN_EXPECTED = 5
SIGNIFICANCE = 0.01
REST = "(all others)"
# Three standard deviations of a Poisson count, and a margin for the reference.
DISTINCT_DEVIATIONS = 3.3


@dataclass(frozen=True)
class Measure:
    """One drift measure of a column.

    value: the measured value. bound: the bound of the specification, or None. allowed: the bound plus the allowance for
    chance, or more if the reference days differ by more. usual: the largest value for a reference day against the
    others; 0 if it was not needed.
    """

    name: str
    value: float
    bound: float | None
    allowed: float
    usual: float = 0.0

    @property
    def is_exceeded(self) -> bool:
        """True if the value exceeds the bound plus the allowance for chance."""
        return self.bound is not None and self.value > self.allowed

    @property
    def excess(self) -> float:
        """The value as a multiple of the allowed value; 0 without a bound."""
        return self.value / self.allowed if self.bound is not None else 0.0


@dataclass(frozen=True)
class ColumnDrift:
    """The drift measures of one column of a day against its reference.

    p_values: probability of a value at least as large without any change, by name of the measure.
    """

    profile: Profile
    reference: Reference
    measures: Sequence[Measure]
    p_values: dict[str, float]

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.profile.name

    @property
    def exceeded(self) -> list[Measure]:
        """Measures that exceed their bounds, the worst first."""
        return sorted(
            (measure for measure in self.measures if measure.is_exceeded), key=lambda measure: -measure.excess
        )

    @property
    def excess(self) -> float:
        """The largest excess of a measure."""
        return max((measure.excess for measure in self.measures), default=0.0)


def column_drift(profile: Profile, reference: Reference, bounds: DriftBounds) -> ColumnDrift:
    """Measure the drift of one column of a day.

    Numbers are compared by PSI and KS distance, times by the KS distance of the local time of day. Texts are compared
    by PSI and Cramér's V of their categories or, if they are not categories, by PSI and KS distance of their lengths
    and by the share with non-ASCII characters. All columns are compared by the share of missing values, all texts by
    the share of broken texts among those with non-ASCII characters.
    """
    missing = abs(profile.missing / profile.rows - reference.missing)
    measures = [_measure("missing", missing, bounds.missing, critical_distance(profile.rows, reference.rows))]
    p_values: dict[str, float] = {}
    if profile.present and reference.present:
        for measure, p_value in _measure_values(profile, reference, bounds):
            measures.append(measure)
            if p_value is not None:
                p_values[measure.name] = p_value
    return ColumnDrift(profile, reference, measures, p_values)


def _measure_values(
    profile: Profile, reference: Reference, bounds: DriftBounds
) -> Iterator[tuple[Measure, float | None]]:
    n, m = profile.present, reference.present
    if isinstance(bounds, ColumnDriftCheck) and profile.kind != TIME and _is_similar_in_size(profile, reference):
        # The number of distinct values varies like a Poisson count, by its square root.
        change = abs(profile.distinct / n / reference.distinct - 1)
        allowance = DISTINCT_DEVIATIONS / float(np.sqrt(profile.distinct))
        yield _measure("distinct", change, bounds.distinct, allowance), None
    if profile.kind == TEXT and profile.non_ascii:
        rise = profile.broken / profile.non_ascii - reference.broken
        allowance = critical_distance(profile.non_ascii, reference.beyond_ascii or np.inf)
        yield _measure("broken_text", max(rise, 0.0), bounds.missing, allowance), None
    if profile.kind == TEXT and reference.is_of_categories:
        names, observed, expected = category_cells(profile, reference)
        yield _measure_psi(observed, expected, n, m, bounds), None
        v = cramers_v(observed, expected)
        allowance = float(np.sqrt(_critical_chi_square(len(names)) * (1 / n + 1 / m) / 4))
        yield _measure("cramers_v", v, bounds.cramers_v, allowance), chi_square(observed, expected, n, m)[1]
        return
    if profile.kind == TEXT:
        change = abs(profile.non_ascii / n - reference.non_ascii)
        yield _measure("non_ascii", change, bounds.ks, critical_distance(n, m)), None
    if profile.kind != TIME:
        yield _measure_psi(*number_cells(profile.histogram, reference.histogram), n, m, bounds), None
    distance = ks_distance(profile.histogram, reference.histogram)
    bound = bounds.time_of_day if profile.kind == TIME and isinstance(bounds, ColumnDriftCheck) else bounds.ks
    yield _measure("ks", distance, bound, critical_distance(n, m)), ks_p_value(distance, n, m)


def _is_similar_in_size(profile: Profile, reference: Reference) -> bool:
    """Return whether the day has about as many rows as a reference day, because the share of distinct values falls with
    the number of rows."""
    return 2 / 3 <= profile.rows * reference.days / reference.rows <= 3 / 2


def population_stability_index(observed: Floats, expected: Floats, n: float, m: float) -> float:
    """Compute sum((observed - expected) * ln(observed / expected)) over cells, from shares of n and m rows.

    This is the symmetric Kullback-Leibler divergence (1951), as used for scorecards (N. Siddiqi, Credit Risk
    Scorecards, 2006). An empty cell counts as half a row.
    """
    observed, expected = np.maximum(observed, 0.5 / n), np.maximum(expected, 0.5 / m)
    return float(((observed - expected) * np.log(observed / expected)).sum())


def ks_distance(observed: Histogram, expected: Histogram) -> float:
    """Compute the largest difference of two distribution functions at the ends of bins.

    It is a close lower bound of the Kolmogorov-Smirnov distance.
    """
    bins = np.union1d(observed.bins, expected.bins)
    return float(max_distance(np.cumsum(_at(observed.shares(), bins)), np.cumsum(_at(expected, bins))))


def chi_square(observed: Floats, expected: Floats, n: float, m: float) -> tuple[float, float]:
    """Compute the chi-square statistic, and its p-value, of the contingency table of n * observed and m * expected
    rows."""
    from scipy.special import chdtrc

    pooled = (n * observed + m * expected) / (n + m)
    filled = pooled > 0
    statistic = float(((observed - expected)[filled] ** 2 / pooled[filled]).sum() / (1 / n + 1 / m))
    return statistic, float(chdtrc(filled.sum() - 1, statistic)) if filled.sum() > 1 else 1.0


def cramers_v(observed: Floats, expected: Floats) -> float:
    """Compute Cramér's V, sqrt(chi-square / rows), of a table with two rows, day and reference, of equal weight (1946).

    It is 0 if the shares are equal, 1 if no cell has both, and does not depend on the number of reference days.
    """
    total = observed + expected
    filled = total > 0
    return float(np.sqrt(((observed - expected)[filled] ** 2 / total[filled]).sum() / 2))


def number_cells(observed: Histogram, expected: Histogram) -> tuple[Floats, Floats]:
    """Return the shares of a day and of its reference in cells that each hold about a tenth of the reference.

    Cells consist of whole bins. A bin with more than a tenth is a cell of its own, so that a few distinct values stay
    separate.
    """
    cumulative = np.cumsum(expected.weights)
    # Rounding errors of the cumulative shares must not move a cut to the next bin.
    cuts = expected.bins[np.searchsorted(cumulative, np.arange(1, TENTHS) / TENTHS - 1e-9)]
    large_bins = expected.bins[expected.weights >= 1 / TENTHS]
    ends = np.unique(np.concatenate([cuts, large_bins, large_bins - 1]))
    return tuple(
        np.bincount(np.searchsorted(ends, shares.bins), shares.weights, minlength=len(ends) + 1)
        for shares in (observed.shares(), expected)
    )  # type: ignore[return-value]


def category_cells(profile: Profile, reference: Reference) -> tuple[list[str], Floats, Floats]:
    """Return the names of the categories, and their shares on the day and in the reference.

    The last cell holds all other categories, rare or new.
    """
    names = [value for value, share in reference.values.items() if share * profile.present >= MIN_EXPECTED]
    observed = np.array([profile.values.get(name, 0) / profile.present for name in names])
    expected = np.array([reference.values[name] for name in names])
    rest = [max(1 - float(shares.sum()), 0.0) for shares in (observed, expected)]
    return [*names, REST], np.append(observed, rest[0]), np.append(expected, rest[1])


def _at(histogram: Histogram, bins: NDArray[np.int64]) -> Floats:
    weights = np.zeros(len(bins))
    weights[np.searchsorted(bins, histogram.bins)] = histogram.weights
    return weights


def _measure(name: Distance | Change, value: float, bound: float | None, allowance: float) -> Measure:
    return Measure(name, value, bound, (bound or 0.0) + allowance)


def _measure_psi(observed: Floats, expected: Floats, n: float, m: float, bounds: DriftBounds) -> Measure:
    # Without a change, PSI / (1/n + 1/m) has a chi-square distribution with cells - 1 degrees of freedom (B. Yurdakul,
    # Statistical Properties of PSI, 2018).
    allowance = _critical_chi_square(len(observed)) * (1 / n + 1 / m)
    return _measure("psi", population_stability_index(observed, expected, n, m), bounds.psi, allowance)


def _critical_chi_square(cells: int) -> float:
    from scipy.special import chdtri

    return float(chdtri(cells - 1, SIGNIFICANCE)) if cells > 1 else 0.0
