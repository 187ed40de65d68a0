"""The check `label_rate` for every task, from the profiles of the target: the share of positives or of each class, or
the mean and the quantiles of a regression's target, against those of earlier days.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from ml_assets.core.checks.label_rate import (
    LABEL_RATE,
    MIN_DAYS,
    LabelCounts,
    evaluate_label_rate,
)
from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.data_checks import LabelRateCheck
from ml_assets.core.model_spec.types.numbers import format_number
from ml_assets.core.model_spec.types.task import MULTICLASS, REGRESSION
from ml_assets.core.profiling.histograms import lower_edges, number_bins
from ml_assets.core.profiling.profiles import TEXT, Profile

QUANTILES = (0.1, 0.5, 0.9)
# The width of a histogram bin, at most, relative to its values.
BIN_WIDTH = 1 / 32
# Number of standard errors of the day that are attributed to chance.
STANDARD_ERRORS = 5
# The usual distance from the median day covers this share of the reference days, so it includes weekends.
USUAL_SHARE = 0.75
# Fewer labels may be equal by chance.
MIN_EQUAL_LABELS = 20


@dataclass(frozen=True)
class TargetSummary:
    """The labelled rows of a day: their number, mean, standard deviation, quantiles 0.1, 0.5 and 0.9, and whether they
    are many and all equal.
    """

    labelled: int
    mean: float
    deviation: float
    quantiles: tuple[float, ...]
    is_constant: bool

    def figures(self) -> dict[str, float]:
        """Return the compared figures by name."""
        names = [f"quantile {level:g}" for level in QUANTILES]
        return {"mean": self.mean, **dict(zip(names, self.quantiles, strict=True))}


def evaluate_targets(
    spec: ModelSpec, settings: LabelRateCheck, day: date, profile: Profile | None, reference: Mapping[date, Profile]
) -> CheckOutcome:
    """Check that the target of a day is distributed like that of the reference days.

    Binary: see `evaluate_label_rate`. Multiclass: the same for each class; all must pass. Regression: the mean and
    three quantiles must be within `factor` times the usual distance of the reference days from their median, beyond
    five standard errors of the day, and the mean within a factor of `factor`; bounds do not apply. A figure that is
    equally near to the median of the same weekday passes too, because the reference of a young feed has few weekends.
    A day of many equal labels fails if no reference day is like it.

    Args:
        spec: the model.
        settings: bounds and factor.
        day: the day.
        profile: profile of the target on the day; None without rows.
        reference: profiles of the target on the earlier days.
    """
    if spec.task == REGRESSION:
        summaries = {earlier: summarize(daily) for earlier, daily in reference.items() if daily.present}
        summary = summarize(profile) if profile is not None and profile.present else None
        return evaluate_amounts(settings, day, summary, summaries)
    labels = spec.classes if spec.task == MULTICLASS else [True if spec.positive is None else spec.positive]
    outcomes = []
    for label in labels:
        what = f"of class {label}" if spec.task == MULTICLASS else "positive"
        counts = {earlier: count_label(daily, label, what) for earlier, daily in reference.items()}
        own = count_label(profile, label, what) if profile is not None else LabelCounts(0, 0, what)
        outcomes.append(evaluate_label_rate(settings, day, own, counts))
    failed = [outcome for outcome in outcomes if outcome.failed]
    if len(outcomes) == 1 or not failed:
        return next((outcome for outcome in outcomes if outcome.passed is not None), outcomes[0])
    lines = [{"class": str(label), "reason": outcome.reason} for label, outcome in zip(labels, outcomes, strict=True)]
    others = f" (and {len(failed) - 1} more of {len(outcomes)} classes)" if len(failed) > 1 else ""
    return replace(failed[0], reason=f"{failed[0].reason}{others}", lines=lines)


def count_label(profile: Profile, label: bool | int | str, what: str = "positive") -> LabelCounts:
    """Count the rows of a label among the labelled rows of a profile. Integers beyond 64 share histogram bins with
    their neighbours, so they are counted together.
    """
    if profile.kind == TEXT:
        return LabelCounts(profile.values.get(str(label), 0), profile.present, what)
    (number,) = number_bins(np.array([float(label)]))
    return LabelCounts(int(profile.histogram.weight(int(number))), profile.present, what)


def summarize(profile: Profile) -> TargetSummary:
    """Summarize the target of a day with at least one label; quantiles and deviation are computed from its
    histogram."""
    weights = profile.histogram.weights
    values = lower_edges(profile.histogram.bins) * (1 + BIN_WIDTH / 2)
    reached = np.cumsum(weights) / weights.sum()
    quantiles = tuple(float(values[np.searchsorted(reached, level)]) for level in QUANTILES)
    assert profile.mean is not None
    deviation = float(np.sqrt(np.average((values - profile.mean) ** 2, weights=weights)))
    is_constant = profile.distinct == 1 and profile.present >= MIN_EQUAL_LABELS
    return TargetSummary(profile.present, profile.mean, deviation, quantiles, is_constant)


def evaluate_amounts(
    settings: LabelRateCheck, day: date, summary: TargetSummary | None, reference: Mapping[date, TargetSummary]
) -> CheckOutcome:
    """Check mean and quantiles of a regression's target; arguments as for `evaluate_targets`."""

    def outcome(passed: bool | None, reason: str) -> CheckOutcome:
        return CheckOutcome(LABEL_RATE, day, passed, reason, settings.severity)

    if summary is None:
        return outcome(None, "no row has a label")
    described = (
        f"the mean of {count(summary.labelled, 'label')} is {summary.mean:.4g}, their median {summary.quantiles[1]:.4g}"
    )
    if settings.factor is None:
        return outcome(None, f"{described}; no factor is set")
    if len(reference) < MIN_DAYS:
        return outcome(None, f"{described}; not compared with earlier days, as only {len(reference)} have labels")
    if summary.is_constant and not any(daily.is_constant for daily in reference.values()):
        return outcome(
            False,
            f"all {count(summary.labelled, 'label')} are {summary.mean:.4g}; on each of the {len(reference)} days from "
            f"{min(reference)} to {max(reference)} they differ",
        )
    groups = [[*reference.values()]]
    if same_weekday := [daily for earlier, daily in reference.items() if earlier.weekday() == day.weekday()]:
        groups.append(same_weekday)
    error = STANDARD_ERRORS * summary.deviation / np.sqrt(summary.labelled)
    for name, value in summary.figures().items():
        earlier = np.array([daily.figures()[name] for daily in reference.values()])
        typical, *others = [float(np.median([daily.figures()[name] for daily in days])) for days in groups]
        usual = float(np.quantile(np.abs(earlier - typical), USUAL_SHARE))
        allowed = settings.factor * usual + error + BIN_WIDTH * abs(typical)
        if min(abs(value - middle) for middle in (typical, *others)) > allowed:
            return outcome(
                False,
                f"{described}; {name} {value:.4g} is {abs(value - typical):.4g} away from {typical:.4g}, the median of "
                f"{len(earlier)} days from {min(reference)} to {max(reference)}, more than {allowed:.4g}: "
                f"{format_number(settings.factor)} times the usual distance {usual:.4g}, and what chance explains",
            )
    means = [daily.mean for daily in reference.values()]
    is_multiple = all(_is_multiple(summary.mean, [daily.mean for daily in days], settings.factor) for days in groups)
    if is_multiple and abs(summary.mean - float(np.median(means))) > error:
        return outcome(
            False,
            f"{described}, off by more than a factor of {format_number(settings.factor)} from the median day's mean, "
            f"{np.median(means):.4g}, and beyond all {len(means)} days from {min(reference)} to {max(reference)}",
        )
    return outcome(
        True, f"{described}, like those of the {len(reference)} days from {min(reference)} to {max(reference)}"
    )


def _is_multiple(mean: float, earlier: list[float], factor: float) -> bool:
    """Return whether a mean is off the median of the earlier means by more than the factor, and beyond all of them."""
    typical = float(np.median(earlier))
    if min(earlier) <= mean <= max(earlier) or mean * typical <= 0:
        return False
    return not 1 / factor <= mean / typical <= factor
