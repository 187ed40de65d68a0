"""What a column is compared with: the profiles of earlier days merged into one, in which each day has the same
weight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml_assets.core.profiling.histograms import Histogram, mean_of_categories, mean_of_shares
from ml_assets.core.profiling.profiles import MOST_VALUES, Profile

ENOUGH_COVERED = 0.9


@dataclass(frozen=True)
class Reference:
    """One column over some days; shares are means of the daily shares, so that a day with ten times the rows does not
    decide.

    kind: as in `Profile`. days: how many. rows, present, beyond_ascii: how many rows (with a value, with a character
    beyond ASCII) one sample would have from which shares come out as precisely as from the mean over these days.
    missing: share of the rows without a value. distinct: different values for each row with a value. histogram: shares
    by bin. values: shares of the most frequent texts. non_ascii: share of the texts with a character beyond ASCII.
    broken: share of those with traces of a wrong encoding.
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
        """Whether the 100 most frequent texts are nearly all there is; others are free text or names, of which each day
        has other ones.
        """
        return bool(self.values) and sum(self.values.values()) >= ENOUGH_COVERED


def merge(profiles: Sequence[Profile]) -> Reference:
    """The profiles of one column on some days (at least one) as one reference; their order does not matter."""
    present = [profile.present for profile in profiles]
    shares = mean_of_categories([profile.values for profile in profiles], present)
    frequent = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]
    return Reference(
        kind=profiles[0].kind,
        days=len(profiles),
        rows=_precision([profile.rows for profile in profiles]),
        present=_precision(present),
        beyond_ascii=_precision([profile.non_ascii for profile in profiles]),
        missing=_mean_share([profile.missing for profile in profiles], [profile.rows for profile in profiles]),
        distinct=_mean_share([profile.distinct for profile in profiles], present),
        histogram=mean_of_shares([profile.histogram for profile in profiles]),
        values=dict(frequent),
        non_ascii=_mean_share([profile.non_ascii for profile in profiles], present),
        broken=_mean_share([profile.broken for profile in profiles], [profile.non_ascii for profile in profiles]),
    )


def _precision(rows: Sequence[int]) -> float:
    """The rows of one sample whose shares have the variance of the mean of the shares of samples of `rows`: k**2 /
    sum(1 / rows).
    """
    filled = np.array([count for count in rows if count], float)
    return float(len(filled) ** 2 / (1 / np.sort(filled)).sum()) if len(filled) else 0.0


def _mean_share(parts: Sequence[int], wholes: Sequence[int]) -> float:
    shares = sorted(part / whole for part, whole in zip(parts, wholes, strict=True) if whole)
    return sum(shares) / len(shares) if shares else 0.0
