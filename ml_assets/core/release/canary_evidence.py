"""The evidence of a canary: reasons for a rollback, missing evidence, and the figures."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.model_spec.types.metric_names import IN_UNIT_OF_TARGET, lowest_difference
from ml_assets.core.model_spec.types.numbers import format_number

if TYPE_CHECKING:
    from ml_assets.core.metrics.paired_proportions import PairedEstimate

Errors = Literal["wrong_decisions", "wrong_classes", "error_increase"]
Predictions = Literal["positive_decisions", "prediction_distance"]
# With fewer labelled rows, the interval of a mean error says little. Binary tasks count positives instead.
FEWEST_ROWS = 30


@dataclass(frozen=True)
class Evidence:
    """The evidence of a canary, from rows that both models scored: those of the challenger's entities, and all rows of
    days in shadow.

    step_days, step_rows: number of days with known labels since the current step began, and of labelled rows on them.
    positives, rows: number of positives, for binary tasks, and of labelled rows since the canary began. metrics:
    metrics on these rows. errors: share of wrong decisions or classes on these rows, or for a regression the mean
    absolute error, whose difference is the relative increase. predictions: on all rows since the canary began, labelled
    or not, the share of positive decisions, whose difference is the ratio; or the distance of the predictions.
    labels_through: the last day whose labels are known. problem: the reason why the challenger cannot score.
    """

    step_days: int
    step_rows: int
    positives: int | None
    metrics: "Mapping[str, PairedEstimate]"
    errors: "PairedEstimate"
    predictions: "PairedEstimate"
    labels_through: date
    problem: str | None = None
    rows: int = 0
    errors_name: Errors = "wrong_decisions"
    predictions_name: Predictions = "positive_decisions"


def explain_failure(canary: Canary, evidence: Evidence) -> str | None:
    """Explain why the challenger must be rolled back; None if it need not be."""
    return (
        evidence.problem
        or _explain_predictions(canary, evidence)
        or _explain_metric(canary, evidence)
        or _explain_errors(canary, evidence)
    )


def _explain_predictions(canary: Canary, evidence: Evidence) -> str | None:
    shift = evidence.predictions
    if evidence.predictions_name == "prediction_distance":
        if not shift.low > canary.maximum_prediction_distance:
            return None
        means = "" if math.isnan(shift.challenger) else f", mean {shift.challenger:.4g} against {shift.champion:.4g}"
        return (
            f"its predictions of the same rows differ from the champion's{means}; distance {span(shift)}, above "
            f"{format_number(canary.maximum_prediction_distance)}"
        )
    most = canary.maximum_decision_ratio
    if shift.low > most or shift.high < 1 / most:
        shares = f"{shift.challenger:.2%} of the same rows, the champion {shift.champion:.2%}"
        return f"it decides positive on {shares}; ratio {span(shift)}, outside of {1 / most:.3g} to {most:.3g}"
    return None


def _explain_metric(canary: Canary, evidence: Evidence) -> str | None:
    compared = evidence.metrics[canary.metric]
    if _has_enough_rows(canary, evidence) and compared.high < 0 and compared.difference < _lowest(canary, compared):
        return f"{in_words(canary.metric, compared)}, worse by more than {_margin(canary)}"
    return None


def _explain_errors(canary: Canary, evidence: Evidence) -> str | None:
    errors = evidence.errors
    if not errors.low > canary.maximum_error_increase:
        return None
    most = format_number(canary.maximum_error_increase)
    if evidence.errors_name == "error_increase":
        if not _has_enough_rows(canary, evidence):
            return None
        return (
            f"its mean absolute error is {errors.challenger:.4g}, the champion's on the same rows "
            f"{errors.champion:.4g}; increase {span(errors)} of the champion's, above {most}"
        )
    wrong = "decisions" if evidence.errors_name == "wrong_decisions" else "classes"
    shares = (
        f"{errors.challenger:.2%} of its {wrong} are wrong, of the champion's on the same rows {errors.champion:.2%}"
    )
    return f"{shares}; difference {span(errors)}, above {most}"


def explain_missing_evidence(canary: Canary, evidence: Evidence, step_since: date) -> str | None:
    """Describe the evidence that is missing for the challenger to advance; None if it is complete."""
    if not evidence.step_days and evidence.labels_through < step_since:
        return f"labels are known through {evidence.labels_through}, and the step began on {step_since}"
    requirements = [
        ("days with known labels", evidence.step_days, canary.minimum_days),
        ("labelled rows", evidence.step_rows, canary.minimum_rows),
    ]
    if evidence.positives is not None:
        requirements.append(("positives since the canary began", evidence.positives, canary.minimum_positives))
    if lacking := [f"{number} of {minimum} {name}" for name, number, minimum in requirements if number < minimum]:
        return ", ".join(lacking)
    compared = evidence.metrics[canary.metric]
    if math.isnan(compared.difference):
        return f"{canary.metric} is undefined (NaN) on its rows"
    if compared.difference < _lowest(canary, compared):
        return f"{in_words(canary.metric, compared)}: not shown to be within {_margin(canary)}, nor to be worse"
    return None


def figures_of(canary: Canary, evidence: Evidence) -> dict[str, float]:
    """Return the metrics behind a decision by name, without undefined ones."""
    named = {
        canary.metric: evidence.metrics[canary.metric],
        evidence.errors_name: evidence.errors,
        evidence.predictions_name: evidence.predictions,
    }
    values = {
        f"{name}_{part}": getattr(compared, part)
        for name, compared in named.items()
        for part in ("challenger", "champion", "difference", "low", "high")
    }
    counts = {"step_days": evidence.step_days, "step_rows": evidence.step_rows}
    if evidence.positives is not None:
        counts["positives"] = evidence.positives
    return {**counts, **{name: value for name, value in values.items() if math.isfinite(value)}}


def in_words(metric: str, compared: "PairedEstimate") -> str:
    """Describe a metric of both models and its difference."""
    return (
        f"{metric} {compared.challenger:.4g} against {compared.champion:.4g} of the champion on the same rows: "
        f"difference {span(compared)}"
    )


def span(compared: "PairedEstimate") -> str:
    """Describe a difference with its interval."""
    return f"{compared.difference:.4g} ({compared.low:.4g} to {compared.high:.4g})"


def _has_enough_rows(canary: Canary, evidence: Evidence) -> bool:
    if evidence.positives is not None:
        return evidence.positives >= canary.minimum_positives
    return evidence.rows >= FEWEST_ROWS


def _lowest(canary: Canary, compared: "PairedEstimate") -> float:
    return lowest_difference(canary.metric, canary.margin, compared.champion)


def _margin(canary: Canary) -> str:
    if canary.metric in IN_UNIT_OF_TARGET:
        return f"{format_number(canary.margin)} of the champion's {canary.metric}"
    return format_number(canary.margin)
