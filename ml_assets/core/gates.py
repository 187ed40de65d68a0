"""Whether a model is good enough: its metrics against the bounds of the spec."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ml_assets.core.spec.evaluation import Gate


@dataclass(frozen=True)
class Verdict:
    """What one gate says: bounds are inclusive, `value` is None when the metric is missing or NaN, and `reason` is one sentence for people."""

    metric: str
    value: float | None
    minimum: float | None
    maximum: float | None
    passed: bool
    reason: str


def judge(gates: Mapping[str, Gate], metrics: Mapping[str, float]) -> list[Verdict]:
    """One verdict per gate, in the order of the gates; a metric that is missing, NaN or infinite fails whatever the bounds are."""
    return [_judge_one(name, gate, metrics.get(name)) for name, gate in gates.items()]


def all_passed(verdicts: list[Verdict]) -> bool:
    """Whether every gate passed; no verdict at all is no proof, so an empty list never passes."""
    return bool(verdicts) and all(verdict.passed for verdict in verdicts)


def _judge_one(name: str, gate: Gate, measured: float | None) -> Verdict:
    value = None if measured is None or math.isnan(measured) else float(measured)
    fault = _fault(name, gate, measured)
    return Verdict(name, value, gate.minimum, gate.maximum, fault is None, fault or f"{name} {value:.4g} is {_bounds(gate)}")


def _fault(name: str, gate: Gate, measured: float | None) -> str | None:
    if measured is None:
        return f"{name} was not measured"
    if math.isnan(measured):
        return f"{name} is undefined (NaN) on the holdout, for want of rows, positives or positive decisions"
    if math.isinf(measured):
        return f"{name} is infinite"
    if gate.minimum is not None and measured < gate.minimum:
        return f"{name} {measured:.4g} is below the minimum {gate.minimum:g} by {gate.minimum - measured:.2g}"
    if gate.maximum is not None and measured > gate.maximum:
        return f"{name} {measured:.4g} is above the maximum {gate.maximum:g} by {measured - gate.maximum:.2g}"
    return None


def _bounds(gate: Gate) -> str:
    lower = [] if gate.minimum is None else [f"at least {gate.minimum:g}"]
    upper = [] if gate.maximum is None else [f"at most {gate.maximum:g}"]
    return " and ".join(lower + upper)
