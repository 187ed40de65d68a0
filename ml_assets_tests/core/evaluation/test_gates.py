"""A model passes the gates with every metric within its bounds, on slices too, and if not worse than the champion."""

import math
from datetime import date

import pytest

from ml_assets.core.evaluation.gates import (
    all_passed,
    evaluate_champion_gate,
    evaluate_gates,
    evaluate_slice_gates,
    failure_reasons,
)
from ml_assets.core.model_spec.evaluation import ChampionGate, Gate


def _evaluate(gate, **metrics):
    (result,) = evaluate_gates({"roc_auc": gate}, metrics)
    return result


@pytest.mark.parametrize("value", [0.8, 0.85, 0.9])
def test_bounds_are_inclusive(value):
    result = _evaluate(Gate(minimum=0.8, maximum=0.9), roc_auc=value)
    assert result.passed
    assert (result.value, result.minimum, result.maximum) == (value, 0.8, 0.9)
    assert result.reason == f"roc_auc {value} is at least 0.8 and at most 0.9"


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
def test_a_value_outside_the_bounds_fails_with_its_reason(gate, value, reason):
    result = _evaluate(gate, roc_auc=value)
    assert not result.passed
    assert result.reason == reason


@pytest.mark.parametrize("gate", [Gate(minimum=0.0), Gate(maximum=1.0)])
@pytest.mark.parametrize(
    ("metrics", "reason"), [({}, "not measured"), ({"f1": 0.9}, "not measured"), ({"roc_auc": math.nan}, "undefined")]
)
def test_a_missing_or_nan_metric_fails_whatever_the_bound(gate, metrics, reason):
    result = _evaluate(gate, **metrics)
    assert not result.passed
    assert result.value is None
    assert reason in result.reason


def test_one_failure_fails_all_and_results_keep_the_order_of_the_gates():
    gates = {"recall": Gate(minimum=0.5), "log_loss": Gate(maximum=0.5)}
    gate_results = evaluate_gates(gates, {"log_loss": 0.1, "recall": 0.4, "f1": 0.0})
    assert [(result.metric, result.passed) for result in gate_results] == [("recall", False), ("log_loss", True)]
    assert not all_passed(gate_results)
    assert all_passed(evaluate_gates(gates, {"log_loss": 0.1, "recall": 0.6}))


def test_a_model_without_gates_does_not_pass():
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


def _evaluate_slices(*slices, **bounds):
    (result,) = evaluate_slice_gates({"recall": Gate(minimum=0, **bounds), "f1": Gate(minimum=0)}, slices, 20)
    return result


def test_every_slice_must_be_within_the_bounds_and_the_worst_is_named():
    result = _evaluate_slices(_slice(0.6), _slice(0.3, "z"), _slice(0.2, "y"), slice_minimum=0.5)
    assert (result.gate, result.value, result.passed) == ("recall_slices", 0.2, False)
    assert result.reason == "recall of site y 0.2 is below the minimum 0.5 by 0.3 (and 1 more of 3 slices)"
    assert [line["slice_value"] for line in result.lines] == ["y", "z", "x"]
    result = _evaluate_slices(_slice(0.6), _slice(0.5, None), slice_minimum=0.5)
    assert (result.passed, result.reason) == (
        True,
        "recall of site without a value 0.5, the worst of 2 slices, is at least 0.5",
    )


def test_the_worst_slice_is_the_one_farthest_outside_either_bound():
    result = _evaluate_slices(_slice(0.4), _slice(0.9, "y"), slice_minimum=0.5, slice_maximum=0.6)
    assert result.reason == "recall of site y 0.9 is above the maximum 0.6 by 0.3 (and 1 more of 2 slices)"


def test_slices_with_few_positives_or_an_undefined_metric_are_left_out():
    result = _evaluate_slices(
        _slice(0.1, positives=19), _slice(math.nan, "y"), _slice(0.1, metric="f1"), slice_minimum=0.5
    )
    assert (result.passed, result.value) == (None, None)
    assert result.reason == "no slice has 20 positives or more and a defined recall"
    assert failure_reasons([result]) == []
    assert not all_passed([result])


def test_slices_of_a_target_without_positives_have_no_such_column():
    (result,) = evaluate_slice_gates(
        {"recall": Gate(minimum=0.5, slice_minimum=0.5)}, [{**_slice(0.6), "positives": None}], 20, "rows"
    )
    assert result.passed
    assert "positives" not in result.lines[0]


def _evaluate_comparison(low=-0.01, note=None, **changes):
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
def test_a_model_passes_if_it_is_not_worse_than_the_champion_by_more_than_the_margin(low, passed):
    result = _evaluate_comparison(low)
    assert (result.gate, result.value, result.passed) == ("champion", 0.01, passed)
    assert "average_precision 0.8 against 0.79 of the champion, version 3 of 2025-03-01" in result.reason
    assert result.lines
    outcome = result.outcome(date(2025, 3, 5))
    assert (outcome.check, outcome.passed) == ("gate_champion", passed)


@pytest.mark.parametrize(("high", "severity"), [(0.03, "warn"), (0.0, "warn"), (-0.001, "error")])
def test_a_model_that_may_be_as_good_as_the_champion_fails_with_a_warning(high, severity):
    result = _evaluate_comparison(low=-0.05, high=high)
    assert not all_passed([result])
    assert failure_reasons([result]) == [result.reason]
    assert (result.passed, result.outcome(date(2025, 3, 5)).severity) == (False, severity)


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
    result = evaluate_champion_gate(
        ChampionGate(metric="f1", margin=0), [{**equal, "champion_version": 1, "champion_day": date(2025, 3, 1)}]
    )
    assert result.passed
    assert result.reason.endswith("not below 0")


@pytest.mark.parametrize(
    ("changes", "passed", "reason"),
    [
        ({"note": "there is no champion yet"}, None, "not compared: there is no champion yet"),
        ({"champion_value": math.nan, "low": math.nan}, None, "of the champion is undefined"),
        ({"value": math.nan, "low": math.nan}, False, "average_precision is undefined"),
        ({"metric": "f1"}, False, "materialize the evaluation again"),
    ],
)
def test_a_missing_comparison_blocks_no_model_but_an_undefined_metric_does(changes, passed, reason):
    result = _evaluate_comparison(**changes)
    assert result.passed is passed
    assert reason in result.reason
