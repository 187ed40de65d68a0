"""Reference profiles: the profiles of a column on earlier days, merged with equal weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml_assets.core.profiling.histograms import Histogram, mean_of_categories, mean_of_shares
from ml_assets.core.profiling.profiles import MOST_VALUES, Profile

MIN_COVERAGE = 0.9


@dataclass(frozen=True)
class Reference:
    """The profile of a column over several days. Shares are means of daily shares, so a day with many rows does not
    dominate.

    kind: as in `Profile`. days: number of days. rows, present, beyond_ascii: effective sample sizes: the number of rows
    (all, with a value, with a non-ASCII character) of a single sample whose shares are as precise as the means over
    these days. missing: share of rows without a value. distinct: median over the days of the distinct values per row
    with a value, because a day with many rows has far fewer. histogram: shares by bin. values: shares of the most
    frequent texts. non_ascii: share of texts with a non-ASCII character. broken: share among these with traces of a
    wrong encoding.
    """

    kind: str
    days: int
    rows: float
    present: float
    beyond_ascii: float
    missing: float
    distinct: float
    histogram: Histogram
    values: Mapping[str, float]
    non_ascii: float
    broken: float

    @property
    def is_of_categories(self) -> bool:
        """True if the 100 most frequent texts cover nearly all rows, which they do not for free text and names."""
        return bool(self.values) and sum(self.values.values()) >= MIN_COVERAGE


def merge_profiles(profiles: Sequence[Profile]) -> Reference:
    """Merge the profiles of one column on one or more days into a reference; their order does not matter."""
    present = [profile.present for profile in profiles]
    shares = mean_of_categories([profile.values for profile in profiles], present)
    frequent = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]
    return Reference(
        kind=profiles[0].kind,
        days=len(profiles),
        rows=_effective_rows([profile.rows for profile in profiles]),
        present=_effective_rows(present),
        beyond_ascii=_effective_rows([profile.non_ascii for profile in profiles]),
        missing=_mean_share([profile.missing for profile in profiles], [profile.rows for profile in profiles]),
        distinct=_median_share([profile.distinct for profile in profiles], present),
        histogram=mean_of_shares([profile.histogram for profile in profiles]),
        values=dict(frequent),
        non_ascii=_mean_share([profile.non_ascii for profile in profiles], present),
        broken=_mean_share([profile.broken for profile in profiles], [profile.non_ascii for profile in profiles]),
    )


def _effective_rows(rows: Sequence[int]) -> float:
    """Return the effective sample size of the mean share of k samples with these numbers of rows: k**2 / sum(1 / rows).

    A single sample of this size has shares with the same variance as that mean.
    """
    filled = np.array([count for count in rows if count], float)
    return float(len(filled) ** 2 / (1 / np.sort(filled)).sum()) if len(filled) else 0.0


def _median_share(parts: Sequence[int], wholes: Sequence[int]) -> float:
    shares = [part / whole for part, whole in zip(parts, wholes, strict=True) if whole]
    return float(np.median(shares)) if shares else 0.0


def _mean_share(parts: Sequence[int], wholes: Sequence[int]) -> float:
    shares = sorted(part / whole for part, whole in zip(parts, wholes, strict=True) if whole)
    return sum(shares) / len(shares) if shares else 0.0
