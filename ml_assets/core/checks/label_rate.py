"""The check `label_rate`: the share of positives among labelled rows, against bounds and against earlier days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.counts import count
from ml_assets.core.model_spec.checks.data_checks import LabelRateCheck
from ml_assets.core.model_spec.types.numbers import format_number

LABEL_RATE = "label_rate"
REFERENCE_DAYS, MIN_DAYS, MIN_POSITIVES = 28, 7, 20
# With a hundred models checked every day, chance causes one false alarm in about 27 years.
SIGNIFICANCE = 1e-6


@dataclass(frozen=True)
class LabelCounts:
    """Counts of positives, or of rows of one class, among labelled rows; `what` names them in messages."""

    positives: int
    labelled: int
    what: str = "positive"

    def __add__(self, other: "LabelCounts") -> "LabelCounts":
        return LabelCounts(self.positives + other.positives, self.labelled + other.labelled, self.what)

    @property
    def rate(self) -> float:
        """Share of positives; defined only if there are labelled rows."""
        return self.positives / self.labelled

    def __str__(self) -> str:
        return f"{self.positives:,} of {self.labelled:,} labelled rows are {self.what} ({self.rate:.3%})"


def evaluate_label_rate(
    settings: LabelRateCheck, day: date, counts: LabelCounts, reference: Mapping[date, LabelCounts]
) -> CheckOutcome:
    """Check that the share of positives is within its bounds and similar to that of the reference days.

    The check fails if the share differs from the pooled share of the reference days by more than `factor`, and a
    two-sided exact binomial test of the positives against that share gives p < 1e-6. So a day with few positives does
    not fail by chance.

    Args:
        settings: bounds and factor.
        day: the day.
        counts: labelled rows and positives of the day.
        reference: counts of the earlier days. Days whose share differs from that of the median day by more than
            `factor` are excluded. The others are used only if at least 7 of them have labelled rows, with 20 positives
            in total.
    """

    def outcome(passed: bool | None, reason: str) -> CheckOutcome:
        return CheckOutcome(LABEL_RATE, day, passed, reason, settings.severity)

    if not counts.labelled:
        return outcome(None, "no row has a label")
    if settings.minimum is not None and counts.rate < settings.minimum:
        return outcome(False, f"{counts}, less than the minimum {settings.minimum:.3%}")
    if settings.maximum is not None and counts.rate > settings.maximum:
        return outcome(False, f"{counts}, more than the maximum {settings.maximum:.3%}")
    bounded = settings.minimum is not None or settings.maximum is not None
    if settings.factor is None:
        return outcome(
            True if bounded else None, str(counts) if bounded else f"{counts}; neither bounds nor a factor are set"
        )
    labelled_days = {earlier: daily for earlier, daily in reference.items() if daily.labelled}
    compared = _exclude_outlier_days(labelled_days, settings.factor)
    pooled = sum(compared.values(), LabelCounts(0, 0, counts.what))
    if len(compared) < MIN_DAYS or pooled.positives < MIN_POSITIVES:
        obstacle = (
            f"only {len(compared)} of them can be used as reference"
            if len(compared) < MIN_DAYS
            else f"they have only {count(pooled.positives, 'positive')}"
            if counts.what == "positive"
            else f"they have only {count(pooled.positives, 'row')} {counts.what}"
        )
        return outcome(True if bounded else None, f"{counts}; not compared with earlier days, as {obstacle}")
    figures = (
        f"{counts}; {pooled.rate:.3%} on the {count(len(compared), 'day')} from {min(compared)} to {max(compared)}"
    )
    if pooled.rate / settings.factor <= counts.rate <= pooled.rate * settings.factor:
        return outcome(True, figures)
    p_value = _binomial_p_value(counts, pooled.rate)
    return outcome(
        p_value >= SIGNIFICANCE,
        f"{figures}: off by more than a factor of {format_number(settings.factor)}, with p = {p_value:.1g} (exact "
        "binomial test)",
    )


def _exclude_outlier_days(reference: Mapping[date, LabelCounts], factor: float) -> dict[date, LabelCounts]:
    """Keep the days within `factor` of the median day, so that a day of inverted labels does not fail others."""
    typical = median(counts.rate for counts in reference.values()) if reference else 0.0
    if not typical:
        return dict(reference)
    return {day: counts for day, counts in reference.items() if typical / factor <= counts.rate <= typical * factor}


def _binomial_p_value(counts: LabelCounts, rate: float) -> float:
    from scipy.stats import binomtest

    return float(binomtest(counts.positives, counts.labelled, rate).pvalue)
