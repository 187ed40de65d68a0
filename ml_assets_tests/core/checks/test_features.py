"""Each feature check fails in the case that it is for, and passes otherwise."""

from dataclasses import replace
from datetime import date

import pytest

from ml_assets.core.checks.features import (
    evaluate_constant,
    evaluate_infinities,
    evaluate_missing,
    evaluate_target_leakage,
)
from ml_assets.core.model_spec.checks.check import Check
from ml_assets.core.model_spec.checks.model_checks import MissingShareCheck, TargetLeakageCheck
from ml_assets.core.profiling.target_leakage import PredictivePower
from ml_assets_tests.core.profiling.profile_cases import DAY, normal, profile_of

GOOD = {"a": replace(profile_of(normal(1)), name="a"), "b": profile_of(["x", "y", None])}
COMPLETE = {"a": date(2025, 1, 1), "b": date(2025, 1, 1), "late": date(2025, 2, 1)}


def test_infinite_values_are_named_and_counted():
    assert evaluate_infinities("no_infinities", DAY, GOOD, Check()).passed
    outcome = evaluate_infinities("no_infinities", DAY, {**GOOD, "c": profile_of([1.0, float("inf")])}, Check())
    assert (outcome.passed, outcome.reason) == (False, "c is infinite in 1 of 2 rows")


def test_a_feature_that_is_missing_in_nearly_all_rows_is_named():
    assert evaluate_missing("missing_share", DAY, GOOD, COMPLETE, MissingShareCheck()).passed
    mostly_missing = profile_of([None] * 400 + [1.0])
    outcome = evaluate_missing("missing_share", DAY, {**GOOD, "a": mostly_missing}, COMPLETE, MissingShareCheck())
    assert (outcome.passed, outcome.reason) == (False, "a is missing in 99.75% of the rows, more than 99.00%")
    assert (
        evaluate_missing("missing_share", DAY, {"late": mostly_missing}, COMPLETE, MissingShareCheck()).passed is None
    )
    assert evaluate_missing(
        "missing_share", DAY, {**GOOD, "late": mostly_missing}, COMPLETE, MissingShareCheck()
    ).passed


@pytest.mark.parametrize(("one_value", "before"), [([2.0] * 100, normal(1)), (["x"] * 100, ["x", "y"] * 50)])
def test_a_constant_feature_fails_if_it_varied_before(one_value, before):
    references = {"a": [profile_of(before)] * 3}
    outcome = evaluate_constant("not_constant", DAY, {"a": profile_of(one_value)}, references, Check())
    assert outcome.passed is False
    assert "a is" in outcome.reason
    assert "in all 100 rows" in outcome.reason
    assert evaluate_constant("not_constant", DAY, {"a": profile_of(before)}, references, Check()).passed


def test_a_constant_feature_passes_if_chance_explains_it():
    nearly_always = [profile_of([0.0] * 99 + [1.0])] * 3
    assert evaluate_constant("not_constant", DAY, {"a": profile_of([0.0] * 500)}, {"a": nearly_always}, Check()).passed
    assert (
        evaluate_constant("not_constant", DAY, {"a": profile_of([0.0] * 5000)}, {"a": nearly_always}, Check()).passed
        is False
    )
    assert evaluate_constant(
        "not_constant", DAY, {"a": profile_of([7.0])}, {"a": [profile_of(normal(1))]}, Check()
    ).passed
    always = [profile_of([0.0] * 99)] * 3
    assert evaluate_constant("not_constant", DAY, {"a": profile_of([0.0] * 5000)}, {"a": always}, Check()).passed
    assert evaluate_constant("not_constant", DAY, {"a": profile_of([0.0])}, {"a": []}, Check()).passed is None


@pytest.mark.parametrize(("dry_days", "passes"), [(0, False), (1, False), (2, True)])
def test_a_feature_that_was_constant_on_earlier_days_may_be_so(dry_days, passes):
    references = [profile_of([0.0] * 100)] * dry_days + [profile_of([0.0, 1.0, 2.5, 4.0] * 25)] * 18
    outcome = evaluate_constant("not_constant", DAY, {"rain": profile_of([0.0] * 100)}, {"rain": references}, Check())
    assert outcome.passed is passes


def test_a_feature_that_predicts_the_label_alone_is_named():
    powers = {"a": PredictivePower(0.7, 0.2, 10, 500), "scenario": PredictivePower(1.0, 1.0, 10, 500)}
    outcome = evaluate_target_leakage("target_leakage", DAY, powers, TargetLeakageCheck())
    assert (outcome.passed, outcome.reason) == (False, "scenario alone has ROC AUC 1.0000 and average precision 1.0000")
    assert [line["feature"] for line in outcome.lines] == ["scenario", "a"]
    assert evaluate_target_leakage("target_leakage", DAY, {"a": powers["a"]}, TargetLeakageCheck()).passed
    assert evaluate_target_leakage(
        "target_leakage", DAY, {"a": PredictivePower(0.995, 0.5, 10, 500)}, TargetLeakageCheck()
    ).passed


def test_too_few_rows_of_a_class_give_no_evaluation():
    assert (
        evaluate_target_leakage(
            "target_leakage", DAY, {"a": PredictivePower(1.0, 1.0, 4, 500)}, TargetLeakageCheck()
        ).passed
        is None
    )
    assert (
        evaluate_target_leakage(
            "target_leakage", DAY, {"a": PredictivePower(1.0, 1.0, 500, 4)}, TargetLeakageCheck()
        ).passed
        is None
    )
    assert evaluate_target_leakage("target_leakage", DAY, {}, TargetLeakageCheck()).passed is None
