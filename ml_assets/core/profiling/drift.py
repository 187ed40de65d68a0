"""How far a column of a day is from its reference: population stability index, Kolmogorov-Smirnov distance, Cramér's V,
change of shares.

A figure is beyond its bound when it is larger than the bound and what chance adds to it: with few rows the figures of
two samples of the same source are large. What chance adds is exceeded once in a hundred times without any change;
chance and bound together hardly ever.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_assets.core.model_spec.checks import ColumnDriftCheck, DriftBounds
from ml_assets.core.profiling.histograms import Histogram
from ml_assets.core.profiling.profiles import TEXT, TIME, Profile
from ml_assets.core.profiling.reference_profile import Reference

Floats = NDArray[np.float64]
TENTHS = 10
# Cells of categories that are expected to hold fewer rows are put together, as for any chi-square test (W. G. Cochran,
# 1954).
LEAST_EXPECTED = 5
# The distance of an empirical distribution of n rows from its source exceeds 1.63 / sqrt(n) once in a hundred times (A.
# Kolmogorov, 1933), also where there are only two values (P. Massart, 1990).
CHANCE, KS_CHANCE = 0.01, 1.63
REST = "(all others)"
# Three standard deviations of a Poisson count, and a little for the reference.
DISTINCT_CHANCE = 3.3


@dataclass(frozen=True)
class Measure:
    """One figure of a column. value: what was found. bound: what the specification allows, or None. allowed: the bound
    and what chance adds to it.
    """

    name: str
    value: float
    bound: float | None
    allowed: float

    @property
    def is_exceeded(self) -> bool:
        """Whether the value is beyond the bound and chance."""
        return self.bound is not None and self.value > self.allowed

    @property
    def excess(self) -> float:
        """The value as a multiple of what is allowed; 0 where nothing is bounded."""
        return self.value / self.allowed if self.bound is not None else 0.0


@dataclass(frozen=True)
class ColumnDrift:
    """Figures of one column of a day against its reference. p_values: the odds of a figure as large without any change,
    by name of the measure.
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
        """What is beyond its bound, the worst first."""
        return sorted((one for one in self.measures if one.is_exceeded), key=lambda one: -one.excess)

    @property
    def excess(self) -> float:
        """The largest excess of a measure."""
        return max((one.excess for one in self.measures), default=0.0)


def column_drift(profile: Profile, reference: Reference, bounds: DriftBounds) -> ColumnDrift:
    """The drift of one column of a day.

    Numbers are judged by PSI and KS distance, times by the KS distance of the local time of day, texts by PSI and
    Cramér's V of their categories, or, where they are not categories, by PSI and KS distance of their lengths and by
    the share with characters beyond ASCII. All are judged by the share of missing values, all texts by the share of
    broken ones among those with characters beyond ASCII.
    """
    missing = abs(profile.missing / profile.rows - reference.missing)
    measures = [_measure("missing", missing, bounds.missing, _ks_chance(profile.rows, reference.rows))]
    p_values: dict[str, float] = {}
    if profile.present and reference.present:
        for measure, p_value in _of_values(profile, reference, bounds):
            measures.append(measure)
            if p_value is not None:
                p_values[measure.name] = p_value
    return ColumnDrift(profile, reference, measures, p_values)


def _of_values(profile: Profile, reference: Reference, bounds: DriftBounds) -> Iterator[tuple[Measure, float | None]]:
    n, m = profile.present, reference.present
    if isinstance(bounds, ColumnDriftCheck) and profile.kind != TIME and _is_of_like_size(profile, reference):
        # Different values are counted like rows that are drawn: their number is off by its root.
        change = abs(profile.distinct / n / reference.distinct - 1)
        yield _measure("distinct", change, bounds.distinct, DISTINCT_CHANCE / float(np.sqrt(profile.distinct))), None
    if profile.kind == TEXT and profile.non_ascii:
        rise = profile.broken / profile.non_ascii - reference.broken
        chance = _ks_chance(profile.non_ascii, reference.beyond_ascii or np.inf)
        yield _measure("broken_text", max(rise, 0.0), bounds.missing, chance), None
    if profile.kind == TEXT and reference.is_of_categories:
        names, found, expected = category_cells(profile, reference)
        yield _psi(found, expected, n, m, bounds), None
        v = cramers_v(found, expected)
        chance = float(np.sqrt(_chi_square_chance(len(names)) * (1 / n + 1 / m) / 4))
        yield _measure("cramers_v", v, bounds.cramers_v, chance), chi_square(found, expected, n, m)[1]
        return
    if profile.kind == TEXT:
        yield _measure("non_ascii", abs(profile.non_ascii / n - reference.non_ascii), bounds.ks, _ks_chance(n, m)), None
    if profile.kind != TIME:
        yield _psi(*number_cells(profile.histogram, reference.histogram), n, m, bounds), None
    distance = ks_distance(profile.histogram, reference.histogram)
    bound = bounds.time_of_day if profile.kind == TIME and isinstance(bounds, ColumnDriftCheck) else bounds.ks
    yield _measure("ks", distance, bound, _ks_chance(n, m)), ks_p_value(distance, n, m)


def _is_of_like_size(profile: Profile, reference: Reference) -> bool:
    """Whether the day has about as many rows as those before: the more rows, the fewer different values for each."""
    return 2 / 3 <= profile.rows * reference.days / reference.rows <= 3 / 2


def population_stability_index(found: Floats, expected: Floats, n: float, m: float) -> float:
    """sum((found - expected) * ln(found / expected)) over cells; shares of samples of n and m rows.

    S. Kullback and R. A. Leibler's divergence in both directions (1951), as used for scorecards (N. Siddiqi, Credit
    Risk Scorecards, 2006). The share of an empty cell is taken as that of half a row.
    """
    found, expected = np.maximum(found, 0.5 / n), np.maximum(expected, 0.5 / m)
    return float(((found - expected) * np.log(found / expected)).sum())


def ks_distance(found: Histogram, expected: Histogram) -> float:
    """The largest difference of the two distribution functions at the ends of bins: at most, and nearly, the
    Kolmogorov-Smirnov distance.
    """
    bins = np.union1d(found.bins, expected.bins)
    return float(np.abs(np.cumsum(_at(found.shares(), bins)) - np.cumsum(_at(expected, bins))).max(initial=0.0))


def ks_p_value(distance: float, n: float, m: float) -> float:
    """The odds of at least this distance between samples of n and m rows of one source, in the limit of many rows (N.
    Smirnov, 1939).
    """
    from scipy.special import kolmogorov

    return float(kolmogorov(np.sqrt(n * m / (n + m)) * distance))


def chi_square(found: Floats, expected: Floats, n: float, m: float) -> tuple[float, float]:
    """The chi-square statistic of the table of n * found and m * expected rows, and its p-value."""
    from scipy.special import chdtrc

    pooled = (n * found + m * expected) / (n + m)
    there = pooled > 0
    statistic = float(((found - expected)[there] ** 2 / pooled[there]).sum() / (1 / n + 1 / m))
    return statistic, float(chdtrc(there.sum() - 1, statistic)) if there.sum() > 1 else 1.0


def cramers_v(found: Floats, expected: Floats) -> float:
    """sqrt(chi-square / rows) of a table of two rows, day and reference, both given the same weight (H. Cramér, 1946).

    0 where the shares are equal, 1 where no cell has both; it does not depend on how many days the reference has.
    """
    both = found + expected
    there = both > 0
    return float(np.sqrt(((found - expected)[there] ** 2 / both[there]).sum() / 2))


def number_cells(found: Histogram, expected: Histogram) -> tuple[Floats, Floats]:
    """Shares of a day and of its reference in cells that hold a tenth of the reference each, as nearly as whole bins
    allow.

    A bin that holds more than a tenth is a cell of its own, so that a few distinct values are told apart.
    """
    reached = np.cumsum(expected.weights)
    # Rounding errors of the cumulative shares must not move a cut to the next bin.
    cuts = expected.bins[np.searchsorted(reached, np.arange(1, TENTHS) / TENTHS - 1e-9)]
    single_partition = expected.bins[expected.weights >= 1 / TENTHS]
    ends = np.unique(np.concatenate([cuts, single_partition, single_partition - 1]))
    shares = found.shares()
    return tuple(
        np.bincount(np.searchsorted(ends, one.bins), one.weights, minlength=len(ends) + 1) for one in (shares, expected)
    )  # type: ignore[return-value]


def category_cells(profile: Profile, reference: Reference) -> tuple[list[str], Floats, Floats]:
    """Names of the categories, and their shares on the day and in the reference; the last cell is all others, rare or
    never seen before.
    """
    names = [value for value, share in reference.values.items() if share * profile.present >= LEAST_EXPECTED]
    found = np.array([profile.values.get(name, 0) / profile.present for name in names])
    expected = np.array([reference.values[name] for name in names])
    rest = [max(1 - float(shares.sum()), 0.0) for shares in (found, expected)]
    return [*names, REST], np.append(found, rest[0]), np.append(expected, rest[1])


def _at(histogram: Histogram, bins: NDArray[np.int64]) -> Floats:
    weights = np.zeros(len(bins))
    weights[np.searchsorted(bins, histogram.bins)] = histogram.weights
    return weights


def _measure(name: str, value: float, bound: float | None, chance: float) -> Measure:
    return Measure(name, value, bound, (bound or 0.0) + chance)


def _psi(found: Floats, expected: Floats, n: float, m: float, bounds: DriftBounds) -> Measure:
    # Without a change PSI / (1/n + 1/m) is distributed as chi-square (B. Yurdakul, Statistical Properties of PSI,
    # 2018); its mean is cells - 1.
    chance = _chi_square_chance(len(found)) * (1 / n + 1 / m)
    return _measure("psi", population_stability_index(found, expected, n, m), bounds.psi, chance)


def _chi_square_chance(cells: int) -> float:
    from scipy.special import chdtri

    return float(chdtri(cells - 1, CHANCE)) if cells > 1 else 0.0


def _ks_chance(n: float, m: float) -> float:
    return KS_CHANCE * float(np.sqrt(1 / n + 1 / m))
