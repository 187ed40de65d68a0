"""Gates: bounds on the metrics of a model and its slices, and on its comparison with the champion."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks.check import Severity
from ml_assets.core.model_spec.evaluation import ChampionGate, Gate
from ml_assets.core.model_spec.types.metric_names import explain_undefined
from ml_assets.core.model_spec.types.numbers import format_number

CHAMPION = "champion"


@dataclass(frozen=True)
class GateResult:
    """The result of one gate.

    gate: the metric, the metric with the suffix _slices, or champion. metric: the bounded metric. value: the value on
    all rows or on the worst slice, or the difference to the champion; None if it is missing or NaN. minimum, maximum:
    inclusive bounds. passed: None if there is nothing to evaluate, which blocks no model. reason: one sentence for
    people. lines: details, the worst first. severity: severity of a failure; a model that fails with a warning is not
    registered either, but nothing is broken.
    """

    gate: str
    metric: str
    value: float | None
    minimum: float | None
    maximum: float | None
    passed: bool | None
    reason: str
    lines: Sequence[Mapping[str, object]] = ()
    severity: Severity = "error"

    def outcome(self, day: date) -> CheckOutcome:
        """Convert the result for the model of a day to the outcome of a check."""
        return CheckOutcome(f"gate_{self.gate}", day, self.passed, self.reason, self.severity, self.lines)


def evaluate_gates(gates: Mapping[str, Gate], metrics: Mapping[str, float]) -> list[GateResult]:
    """Evaluate each gate, in the order of the gates; a missing, NaN or infinite metric fails whatever its bounds."""
    return [_evaluate_gate(name, gate, metrics.get(name)) for name, gate in gates.items()]


def evaluate_slice_gates(
    gates: Mapping[str, Gate], slices: Sequence[Mapping], minimum: int, counted: str = "positives"
) -> list[GateResult]:
    """Evaluate each gate that has bounds for slices, in the order of the gates; every slice must be within them.

    Slices with fewer than `minimum` positives, or rows, or with an undefined metric, are left out. If none remains,
    `passed` is None.

    Args:
        gates: gate by metric.
        slices: metric, slice_column, slice_value (None for rows without a value), value, rows, positives of each slice.
        minimum: minimum number of positives, or rows, for a slice to be evaluated.
        counted: positives or rows.
    """
    enough = [row for row in slices if row[counted] >= minimum and not math.isnan(row["value"])]
    return [
        _evaluate_slices(metric, gate, [row for row in enough if row["metric"] == metric], f"{minimum} {counted}")
        for metric, gate in gates.items()
        if gate.has_slice_bounds()
    ]


def evaluate_champion_gate(gate: ChampionGate, comparison: Sequence[Mapping]) -> GateResult:
    """Check that a model is not worse than the champion by more than the margin.

    The interval of the difference must not reach below -margin. This is the test of non-inferiority of Piaggio et al.
    (Reporting of Noninferiority and Equivalence Randomized Trials, JAMA 2012; 308:2594): wide intervals fail, because
    too few rows do not show that the model is as good. Such a failure is a warning if the interval contains 0: the
    model may be as good, which is the usual case for a stable feed with few labels. `passed` is None if there was
    nothing to compare with.

    Args:
        gate: metric and margin.
        comparison: rows of champion_comparison of one day.
    """
    row = next((row for row in comparison if row["metric"] == gate.metric), None)
    lowest = gate.lowest_difference(row["champion_value"] if row else math.nan)

    def result(
        passed: bool | None, reason: str, value: float | None = None, severity: Severity = "error"
    ) -> GateResult:
        lines = [] if row is None or row["note"] else [*comparison]
        bound = None if math.isnan(lowest) else lowest
        return GateResult(CHAMPION, gate.metric, value, bound, None, passed, reason, lines, severity)

    if row is None:
        return result(False, "the comparison with the champion is missing; materialize the evaluation again")
    if row["note"]:
        return result(False if row.get("cannot_compare") else None, f"not compared: {row['note']}")
    if math.isnan(row["value"]):
        return result(False, f"{gate.metric} is undefined (NaN) on the holdout: {explain_undefined(gate.metric)}")
    if math.isnan(row["low"]):
        return result(None, f"not compared: {gate.metric} of the champion is undefined (NaN) on the holdout")
    baseline = (
        f"{row['champion_value']:.4g} of the champion, version {row['champion_version']} of {row['champion_day']}"
    )
    interval = f"difference {row['difference']:.4g} (above 0 is better), interval {row['low']:.4g} to {row['high']:.4g}"
    compared = f"{gate.metric} {row['value']:.4g} against {baseline}: {interval}"
    bound = format_number(float(f"{lowest:.4g}"))
    if row["low"] >= lowest:
        return result(True, f"{compared}, not below {bound}", row["difference"])
    reason = f"{compared}, reaches below {bound}: the model may be worse by more than the margin"
    return result(False, reason, row["difference"], "warn" if row["high"] >= 0 else "error")


def all_passed(gate_results: Sequence[GateResult]) -> bool:
    """Return whether at least one gate passed and none failed, so an empty list does not pass."""
    return any(result.passed for result in gate_results) and not failure_reasons(gate_results)


def failure_reasons(gate_results: Sequence[GateResult]) -> list[str]:
    """Return the reasons of the gates that failed."""
    return [result.reason for result in gate_results if result.passed is False]


def describe_bounds(minimum: float | None, maximum: float | None) -> str:
    """Describe bounds in words."""
    lower = [] if minimum is None else [f"at least {format_number(minimum)}"]
    upper = [] if maximum is None else [f"at most {format_number(maximum)}"]
    return " and ".join(lower + upper)


def _evaluate_gate(name: str, gate: Gate, measured: float | None) -> GateResult:
    value = None if measured is None or math.isnan(measured) else float(measured)
    if measured is None:
        violation = f"{name} was not measured"
    elif math.isnan(measured):
        violation = f"{name} is undefined (NaN) on the holdout: {explain_undefined(name)}"
    else:
        violation = _describe_violation(name, measured, gate.minimum, gate.maximum)
    reason = violation or f"{name} {value:.4g} is {describe_bounds(gate.minimum, gate.maximum)}"
    return GateResult(name, name, value, gate.minimum, gate.maximum, violation is None, reason)


def _evaluate_slices(metric: str, gate: Gate, slices: Sequence[Mapping], enough: str) -> GateResult:
    minimum, maximum = gate.slice_bounds()

    def distance_to_bounds(value: float) -> float:
        """Return the distance to the nearer bound, negative outside the bounds."""
        return min(
            value - minimum if minimum is not None else math.inf, maximum - value if maximum is not None else math.inf
        )

    if not slices:
        reason = f"no slice has {enough} or more and a defined {metric}"
        return GateResult(f"{metric}_slices", metric, None, minimum, maximum, None, reason)
    ranked = sorted(
        slices, key=lambda row: (distance_to_bounds(row["value"]), row["slice_column"], row["slice_value"] or "")
    )
    worst, value = ranked[0], float(ranked[0]["value"])
    slice_value = "without a value" if worst["slice_value"] is None else str(worst["slice_value"])
    subject = f"{metric} of {worst['slice_column']} {slice_value}"
    violation = _describe_violation(subject, value, minimum, maximum)
    outside = sum(_describe_violation("", row["value"], minimum, maximum) is not None for row in ranked)
    others = f" (and {outside - 1} more of {len(ranked)} slices)" if outside > 1 else ""
    reason = (
        f"{violation}{others}"
        if violation
        else f"{subject} {value:.4g}, the worst of {len(ranked)} slices, is {describe_bounds(minimum, maximum)}"
    )
    names = ("slice_column", "slice_value", "value", "low", "high", "rows", "positives")
    # Only a binary target has positives.
    lines = [
        {name: row[name] for name in names if name in row and (name, row[name]) != ("positives", None)}
        for row in ranked
    ]
    return GateResult(f"{metric}_slices", metric, value, minimum, maximum, violation is None, reason, lines)


def _describe_violation(name: str, value: float, minimum: float | None, maximum: float | None) -> str | None:
    if math.isinf(value):
        return f"{name} is infinite"
    if minimum is not None and value < minimum:
        return f"{name} {value:.4g} is below the minimum {format_number(minimum)} by {minimum - value:.2g}"
    if maximum is not None and value > maximum:
        return f"{name} {value:.4g} is above the maximum {format_number(maximum)} by {value - maximum:.2g}"
    return None
