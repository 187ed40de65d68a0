"""Whether a model is good enough: its metrics, those of its slices, and its comparison with the champion, against the
bounds of the spec.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.evaluation import ChampionGate, Gate

CHAMPION = "champion"


@dataclass(frozen=True)
class Verdict:
    """What one gate says: bounds are inclusive, and `reason` is one sentence for people.

    gate: metric, metric with _slices, or champion. metric: what is bounded. value: of all rows, of the worst slice, or
    the difference to the champion; None when it is missing or NaN. passed: None when there is nothing to judge, which
    keeps no model back. lines: what was found in detail, the worst first.
    """

    gate: str
    metric: str
    value: float | None
    minimum: float | None
    maximum: float | None
    passed: bool | None
    reason: str
    lines: Sequence[Mapping[str, object]] = ()

    def outcome(self, day: date) -> CheckOutcome:
        """The verdict on the model of a day, as the finding of a check."""
        return CheckOutcome(f"gate_{self.gate}", day, self.passed, self.reason, lines=self.lines)


def evaluate_gates(gates: Mapping[str, Gate], metrics: Mapping[str, float]) -> list[Verdict]:
    """One verdict per gate, in the order of the gates; a metric that is missing, NaN or infinite fails whatever the
    bounds are.
    """
    return [_evaluate_gate(name, gate, metrics.get(name)) for name, gate in gates.items()]


def evaluate_slice_gates(gates: Mapping[str, Gate], slices: Sequence[Mapping], min_positives: int) -> list[Verdict]:
    """One verdict per gate with bounds for slices, in the order of the gates; each slice has to keep them.

    Slices with fewer than `min_positives` positives, or on which the metric is undefined, are not judged; when none is
    left, the verdict is None.

    Args:
        gates: gate by metric.
        slices: metric, slice_column, slice_value (None for rows without a value), value, rows, positives of each slice.
        min_positives: the fewest positives of a slice that is judged.
    """
    enough = [row for row in slices if row["positives"] >= min_positives and not math.isnan(row["value"])]
    return [
        _evaluate_slices(metric, gate, [row for row in enough if row["metric"] == metric], min_positives)
        for metric, gate in gates.items()
        if gate.has_slice_bounds()
    ]


def evaluate_champion_gate(gate: ChampionGate, comparison: Sequence[Mapping]) -> Verdict:
    """Whether a model is not worse than the champion by more than the margin: the interval of the difference must not
    reach below -margin.

    This is the test of non-inferiority of Piaggio et al. (Reporting of Noninferiority and Equivalence Randomized
    Trials, JAMA 2012; 308:2594): wide intervals fail, because too few rows do not show that the model is as good. The
    verdict is None where there was nothing to compare with.

    Args:
        gate: metric and margin.
        comparison: rows of champion_comparison of one day.
    """
    row = next((row for row in comparison if row["metric"] == gate.metric), None)
    lowest = 0 - gate.margin

    def verdict(passed: bool | None, reason: str, value: float | None = None) -> Verdict:
        lines = [] if row is None or row["note"] else [*comparison]
        return Verdict(CHAMPION, gate.metric, value, lowest, None, passed, reason, lines)

    if row is None:
        return verdict(False, "the comparison with the champion is missing; materialise the evaluation again")
    if row["note"]:
        return verdict(None, f"not compared: {row['note']}")
    if math.isnan(row["value"]):
        return verdict(
            False, f"{gate.metric} is undefined (NaN) on the holdout, for want of rows, positives or positive decisions"
        )
    if math.isnan(row["low"]):
        return verdict(None, f"not compared: {gate.metric} of the champion is undefined (NaN) on the holdout")
    which = f"{row['champion_value']:.4g} of the champion, version {row['champion_version']} of {row['champion_day']}"
    interval = f"difference {row['difference']:.4g} (above 0 is better), interval {row['low']:.4g} to {row['high']:.4g}"
    found = f"{gate.metric} {row['value']:.4g} against {which}: {interval}"
    if row["low"] >= lowest:
        return verdict(True, f"{found}, not below {lowest:g}", row["difference"])
    return verdict(
        False, f"{found}, reaches below {lowest:g}: the model may be worse by more than the margin", row["difference"]
    )


def all_passed(verdicts: Sequence[Verdict]) -> bool:
    """Whether no gate failed and one passed at least; no verdict at all is no proof, so an empty list never passes."""
    return any(verdict.passed for verdict in verdicts) and not failures(verdicts)


def failures(verdicts: Sequence[Verdict]) -> list[str]:
    """The reasons of the gates that failed."""
    return [verdict.reason for verdict in verdicts if verdict.passed is False]


def bounds(minimum: float | None, maximum: float | None) -> str:
    """Bounds in words."""
    lower = [] if minimum is None else [f"at least {minimum:g}"]
    upper = [] if maximum is None else [f"at most {maximum:g}"]
    return " and ".join(lower + upper)


def _evaluate_gate(name: str, gate: Gate, measured: float | None) -> Verdict:
    value = None if measured is None or math.isnan(measured) else float(measured)
    if measured is None:
        fault = f"{name} was not measured"
    elif math.isnan(measured):
        fault = f"{name} is undefined (NaN) on the holdout, for want of rows, positives or positive decisions"
    else:
        fault = _fault(name, measured, gate.minimum, gate.maximum)
    reason = fault or f"{name} {value:.4g} is {bounds(gate.minimum, gate.maximum)}"
    return Verdict(name, name, value, gate.minimum, gate.maximum, fault is None, reason)


def _evaluate_slices(metric: str, gate: Gate, slices: Sequence[Mapping], min_positives: int) -> Verdict:
    minimum, maximum = gate.slice_bounds()

    def room(value: float) -> float:
        """How far within the bounds a value is; negative outside."""
        return min(
            value - minimum if minimum is not None else math.inf, maximum - value if maximum is not None else math.inf
        )

    if not slices:
        reason = f"no slice has {min_positives} positives or more and a defined {metric}"
        return Verdict(f"{metric}_slices", metric, None, minimum, maximum, None, reason)
    ranked = sorted(slices, key=lambda row: (room(row["value"]), row["slice_column"], row["slice_value"] or ""))
    worst, value = ranked[0], float(ranked[0]["value"])
    named = f"{metric} of {worst['slice_column']} {_slice(worst)}"
    fault = _fault(named, value, minimum, maximum)
    outside = sum(_fault("", row["value"], minimum, maximum) is not None for row in ranked)
    others = f" (and {outside - 1} more of {len(ranked)} slices)" if outside > 1 else ""
    reason = (
        f"{fault}{others}"
        if fault
        else f"{named} {value:.4g}, the worst of {len(ranked)} slices, is {bounds(minimum, maximum)}"
    )
    names = ("slice_column", "slice_value", "value", "low", "high", "rows", "positives")
    lines = [{name: row[name] for name in names if name in row} for row in ranked]
    return Verdict(f"{metric}_slices", metric, value, minimum, maximum, fault is None, reason, lines)


def _slice(row: Mapping) -> str:
    return "without a value" if row["slice_value"] is None else str(row["slice_value"])


def _fault(name: str, value: float, minimum: float | None, maximum: float | None) -> str | None:
    if math.isinf(value):
        return f"{name} is infinite"
    if minimum is not None and value < minimum:
        return f"{name} {value:.4g} is below the minimum {minimum:g} by {minimum - value:.2g}"
    if maximum is not None and value > maximum:
        return f"{name} {value:.4g} is above the maximum {maximum:g} by {value - maximum:.2g}"
    return None
