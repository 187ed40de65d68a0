"""A model passes only with every metric measured and within inclusive bounds."""

import math

import pytest

from ml_assets.core.gates import all_passed, judge
from ml_assets.core.spec.evaluation import Gate


def _verdict(gate, **metrics):
    (verdict,) = judge({"roc_auc": gate}, metrics)
    return verdict


@pytest.mark.parametrize("value", [0.8, 0.85, 0.9])
def test_bounds_are_inclusive(value):
    verdict = _verdict(Gate(minimum=0.8, maximum=0.9), roc_auc=value)
    assert verdict.passed
    assert (verdict.value, verdict.minimum, verdict.maximum) == (value, 0.8, 0.9)
    assert verdict.reason == f"roc_auc {value} is at least 0.8 and at most 0.9"


@pytest.mark.parametrize(
    ("gate", "value", "reason"),
    [
        (Gate(minimum=0.8), math.nextafter(0.8, 0), "roc_auc 0.8 is below the minimum 0.8 by 1.1e-16"),
        (Gate(minimum=0.8), 0.75, "roc_auc 0.75 is below the minimum 0.8 by 0.05"),
        (Gate(maximum=0.1), 0.25, "roc_auc 0.25 is above the maximum 0.1 by 0.15"),
        (Gate(minimum=0.8), math.inf, "roc_auc is infinite"),
        (Gate(maximum=0.8), -math.inf, "roc_auc is infinite"),
    ],
)
def test_value_outside_fails_with_its_reason(gate, value, reason):
    verdict = _verdict(gate, roc_auc=value)
    assert not verdict.passed
    assert verdict.reason == reason


@pytest.mark.parametrize("gate", [Gate(minimum=0.0), Gate(maximum=1.0)])
@pytest.mark.parametrize(("metrics", "reason"), [({}, "not measured"), ({"f1": 0.9}, "not measured"), ({"roc_auc": math.nan}, "undefined")])
def test_missing_or_nan_fails_whatever_the_bound(gate, metrics, reason):
    verdict = _verdict(gate, **metrics)
    assert not verdict.passed
    assert verdict.value is None
    assert reason in verdict.reason


def test_one_failure_fails_all_and_verdicts_keep_the_order_of_the_gates():
    gates = {"recall": Gate(minimum=0.5), "log_loss": Gate(maximum=0.5)}
    verdicts = judge(gates, {"log_loss": 0.1, "recall": 0.4, "f1": 0.0})
    assert [(verdict.metric, verdict.passed) for verdict in verdicts] == [("recall", False), ("log_loss", True)]
    assert not all_passed(verdicts)
    assert all_passed(judge(gates, {"log_loss": 0.1, "recall": 0.6}))


def test_no_gate_is_no_proof():
    assert judge({}, {"roc_auc": 1.0}) == []
    assert not all_passed([])
