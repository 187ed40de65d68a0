"""The share of positives among labelled rows: within bounds, and not far from what it was before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import LabelRateCheck

LABEL_RATE = "label_rate"
REFERENCE_DAYS, FEWEST_DAYS, FEWEST_POSITIVES = 28, 7, 20
# So rare by chance that in a hundred models judged daily it is not seen in a lifetime.
SIGNIFICANCE = 1e-6


@dataclass(frozen=True)
class LabelCounts:
    """Positives among labelled rows."""

    positives: int
    labelled: int

    def __add__(self, other: "LabelCounts") -> "LabelCounts":
        return LabelCounts(self.positives + other.positives, self.labelled + other.labelled)

    @property
    def rate(self) -> float:
        """Share of positives; only where rows are labelled."""
        return self.positives / self.labelled

    def __str__(self) -> str:
        return f"{self.positives:,} of {self.labelled:,} labelled rows are positive ({self.rate:.3%})"


def evaluate_label_rate(
    settings: LabelRateCheck, day: date, found: LabelCounts, before: Mapping[date, LabelCounts]
) -> CheckOutcome:
    """Whether the share of positives is within its bounds and like that of the days before.

    It is unlike when it is larger or smaller than the pooled share of the days before by more than `factor`, and a
    two-sided exact binomial test of the positives against that share gives p < 1e-6, so few positives never fail by
    chance.

    Args:
        settings: bounds and factor.
        day: the day that is judged.
        found: labelled rows and positives that are judged.
        before: those of the days before that are the reference. They count only if at least 7 of them have labelled
            rows, and at least 20 positives in all. Days whose share is more than `factor` away from that of the median
            day are left out.
    """

    def outcome(passed: bool | None, reason: str) -> CheckOutcome:
        return CheckOutcome(LABEL_RATE, day, passed, reason, settings.severity)

    if not found.labelled:
        return outcome(None, "no row has a label")
    if settings.minimum is not None and found.rate < settings.minimum:
        return outcome(False, f"{found}, less than the minimum {settings.minimum:.3%}")
    if settings.maximum is not None and found.rate > settings.maximum:
        return outcome(False, f"{found}, more than the maximum {settings.maximum:.3%}")
    labelled = _usual({one: counts for one, counts in before.items() if counts.labelled}, settings.factor or 1.0)
    pooled = sum(labelled.values(), LabelCounts(0, 0))
    bounded = settings.minimum is not None or settings.maximum is not None
    if settings.factor is None:
        return outcome(
            True if bounded else None, str(found) if bounded else f"{found}; neither bounds nor a factor are set"
        )
    if len(labelled) < FEWEST_DAYS or pooled.positives < FEWEST_POSITIVES:
        why = (
            f"{len(labelled)} days before have labelled rows"
            if len(labelled) < FEWEST_DAYS
            else f"{pooled.positives} positives are among them"
        )
        return outcome(True if bounded else None, f"{found}; not compared with the days before, as only {why}")
    said = f"{found}; {pooled.rate:.3%} on the {len(labelled)} days from {min(labelled)} to {max(labelled)}"
    if pooled.rate / settings.factor <= found.rate <= pooled.rate * settings.factor:
        return outcome(True, said)
    chance = _probability(found, pooled.rate)
    verdict = (
        f"{said}: off by more than a factor of {settings.factor:g}, and by chance so far off with p = {chance:.1g}"
    )
    return outcome(chance >= SIGNIFICANCE, verdict)


def _usual(before: Mapping[date, LabelCounts], factor: float) -> dict[date, LabelCounts]:
    """The days whose share is within `factor` of the median day's: one day of turned labels must not make the others
    look wrong.
    """
    typical = median(counts.rate for counts in before.values()) if before else 0.0
    usual = {day: counts for day, counts in before.items() if typical / factor <= counts.rate <= typical * factor}
    return usual if typical else dict(before)


def _probability(found: LabelCounts, rate: float) -> float:
    from scipy.stats import binomtest

    return float(binomtest(found.positives, found.labelled, rate).pvalue)
