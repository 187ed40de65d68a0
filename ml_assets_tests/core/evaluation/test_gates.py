"""A model passes only with every metric measured and within inclusive bounds, on slices too, and not worse than the
champion.
"""

import math
from datetime import date

import pytest

from ml_assets.core.evaluation.gates import (
    all_passed,
    evaluate_champion_gate,
    evaluate_gates,
    evaluate_slice_gates,
    failures,
)
from ml_assets.core.model_spec.evaluation import ChampionGate, Gate


def _verdict(gate, **metrics):
    (verdict,) = evaluate_gates({"roc_auc": gate}, metrics)
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
@pytest.mark.parametrize(
    ("metrics", "reason"), [({}, "not measured"), ({"f1": 0.9}, "not measured"), ({"roc_auc": math.nan}, "undefined")]
)
def test_missing_or_nan_fails_whatever_the_bound(gate, metrics, reason):
    verdict = _verdict(gate, **metrics)
    assert not verdict.passed
    assert verdict.value is None
    assert reason in verdict.reason


def test_one_failure_fails_all_and_verdicts_keep_the_order_of_the_gates():
    gates = {"recall": Gate(minimum=0.5), "log_loss": Gate(maximum=0.5)}
    verdicts = evaluate_gates(gates, {"log_loss": 0.1, "recall": 0.4, "f1": 0.0})
    assert [(verdict.metric, verdict.passed) for verdict in verdicts] == [("recall", False), ("log_loss", True)]
    assert not all_passed(verdicts)
    assert all_passed(evaluate_gates(gates, {"log_loss": 0.1, "recall": 0.6}))


def test_no_gate_is_no_proof():
    assert evaluate_gates({}, {"roc_auc": 1.0}) == []
    assert not all_passed([])


def _slice(value, text="x", positives=20, metric="recall"):
    return {
        "metric": metric,
        "slice_column": "site",
        "slice_value": text,
        "value": value,
        "rows": 100,
        "positives": positives,
    }


def _of_slices(*slices, **bounds):
    (verdict,) = evaluate_slice_gates({"recall": Gate(minimum=0, **bounds), "f1": Gate(minimum=0)}, slices, 20)
    return verdict


def test_every_slice_has_to_keep_the_bounds_and_the_worst_is_named():
    verdict = _of_slices(_slice(0.6), _slice(0.3, "z"), _slice(0.2, "y"), slice_minimum=0.5)
    assert (verdict.gate, verdict.value, verdict.passed) == ("recall_slices", 0.2, False)
    assert verdict.reason == "recall of site y 0.2 is below the minimum 0.5 by 0.3 (and 1 more of 3 slices)"
    assert [line["slice_value"] for line in verdict.lines] == ["y", "z", "x"]
    verdict = _of_slices(_slice(0.6), _slice(0.5, None), slice_minimum=0.5)
    assert (verdict.passed, verdict.reason) == (
        True,
        "recall of site without a value 0.5, the worst of 2 slices, is at least 0.5",
    )


def test_the_worst_slice_is_the_one_farthest_outside_of_either_bound():
    verdict = _of_slices(_slice(0.4), _slice(0.9, "y"), slice_minimum=0.5, slice_maximum=0.6)
    assert verdict.reason == "recall of site y 0.9 is above the maximum 0.6 by 0.3 (and 1 more of 2 slices)"


def test_slices_that_say_too_little_are_not_judged():
    verdict = _of_slices(_slice(0.1, positives=19), _slice(math.nan, "y"), _slice(0.1, metric="f1"), slice_minimum=0.5)
    assert (verdict.passed, verdict.value) == (None, None)
    assert verdict.reason == "no slice has 20 positives or more and a defined recall"
    assert failures([verdict]) == []
    assert not all_passed([verdict])


def _compared(low=-0.01, note=None, **changes):
    row = {
        "metric": "average_precision",
        "champion_version": 3,
        "champion_digest": "d",
        "champion_day": date(2025, 3, 1),
    }
    figures = {"value": 0.8, "champion_value": 0.79, "difference": 0.01, "low": low, "high": 0.03, "rows": 100}
    return evaluate_champion_gate(ChampionGate(margin=0.02), [{**row, **figures, "note": note, **changes}])


@pytest.mark.parametrize(
    ("low", "passed"), [(0.005, True), (-0.01, True), (-0.02, True), (math.nextafter(-0.02, -1), False), (-0.05, False)]
)
def test_a_model_passes_while_it_is_surely_not_worse_than_the_champion_by_the_margin(low, passed):
    verdict = _compared(low)
    assert (verdict.gate, verdict.value, verdict.passed) == ("champion", 0.01, passed)
    assert "average_precision 0.8 against 0.79 of the champion, version 3 of 2025-03-01" in verdict.reason
    assert verdict.lines
    outcome = verdict.outcome(date(2025, 3, 5))
    assert (outcome.check, outcome.passed, outcome.severity) == ("gate_champion", passed, "error")


def test_without_a_margin_an_equal_model_passes():
    equal = {
        "metric": "f1",
        "value": 0.5,
        "champion_value": 0.5,
        "difference": 0.0,
        "low": 0.0,
        "high": 0.0,
        "note": None,
    }
    verdict = evaluate_champion_gate(
        ChampionGate(metric="f1", margin=0), [{**equal, "champion_version": 1, "champion_day": date(2025, 3, 1)}]
    )
    assert verdict.passed
    assert verdict.reason.endswith("not below 0")


@pytest.mark.parametrize(
    ("changes", "passed", "reason"),
    [
        ({"note": "there is no champion yet"}, None, "not compared: there is no champion yet"),
        ({"champion_value": math.nan, "low": math.nan}, None, "of the champion is undefined"),
        ({"value": math.nan, "low": math.nan}, False, "average_precision is undefined"),
        ({"metric": "f1"}, False, "materialise the evaluation again"),
    ],
)
def test_what_is_not_compared_keeps_no_model_back_but_an_unmeasured_model_fails(changes, passed, reason):
    verdict = _compared(**changes)
    assert verdict.passed is passed
    assert reason in verdict.reason
