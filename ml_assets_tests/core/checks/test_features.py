"""Each check of a day's features has a case in which it says no."""

from dataclasses import replace
from datetime import date

import pytest

from ml_assets.core.checks.features import (
    evaluate_constant,
    evaluate_infinities,
    evaluate_missing,
    evaluate_target_leakage,
)
from ml_assets.core.model_spec.checks import Check, MissingShareCheck, TargetLeakageCheck
from ml_assets.core.profiling.target_leakage import Power
from ml_assets_tests.core.profiling.profile_cases import DAY, normal, profile_of

GOOD = {"a": replace(profile_of(normal(1)), name="a"), "b": profile_of(["x", "y", None])}
COMPLETE = {"a": date(2025, 1, 1), "b": date(2025, 1, 1), "late": date(2025, 2, 1)}


def test_infinite_values_are_named_and_counted():
    assert evaluate_infinities("no_infinities", DAY, GOOD, Check()).passed
    found = evaluate_infinities("no_infinities", DAY, {**GOOD, "c": profile_of([1.0, float("inf")])}, Check())
    assert (found.passed, found.reason) == (False, "c is infinite in 1 of 2 rows")


def test_a_feature_that_is_missing_nearly_everywhere_is_named():
    assert evaluate_missing("missing_share", DAY, GOOD, COMPLETE, MissingShareCheck()).passed
    gone = profile_of([None] * 400 + [1.0])
    found = evaluate_missing("missing_share", DAY, {**GOOD, "a": gone}, COMPLETE, MissingShareCheck())
    assert (found.passed, found.reason) == (False, "a is missing in 99.75% of the rows, more than 99.00%")
    assert evaluate_missing("missing_share", DAY, {"late": gone}, COMPLETE, MissingShareCheck()).passed is None
    assert evaluate_missing("missing_share", DAY, {**GOOD, "late": gone}, COMPLETE, MissingShareCheck()).passed


@pytest.mark.parametrize(("one_value", "before"), [([2.0] * 100, normal(1)), (["x"] * 100, ["x", "y"] * 50)])
def test_a_single_value_on_a_day_is_no_chance_where_there_were_many(one_value, before):
    references = {"a": [profile_of(before)] * 3}
    found = evaluate_constant("not_constant", DAY, {"a": profile_of(one_value)}, references, Check())
    assert found.passed is False
    assert "a is" in found.reason
    assert "in all 100 rows" in found.reason
    assert evaluate_constant("not_constant", DAY, {"a": profile_of(before)}, references, Check()).passed


def test_a_single_value_may_be_chance():
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


def test_a_feature_that_tells_the_label_is_named():
    powers = {"a": Power(0.7, 0.2, 10, 500), "scenario": Power(1.0, 1.0, 10, 500)}
    found = evaluate_target_leakage("target_leakage", DAY, powers, TargetLeakageCheck())
    assert (found.passed, found.reason) == (False, "scenario alone has ROC AUC 1.0000 and average precision 1.0000")
    assert [line["feature"] for line in found.lines] == ["scenario", "a"]
    assert evaluate_target_leakage("target_leakage", DAY, {"a": powers["a"]}, TargetLeakageCheck()).passed
    assert evaluate_target_leakage(
        "target_leakage", DAY, {"a": Power(0.995, 0.5, 10, 500)}, TargetLeakageCheck()
    ).passed


def test_few_rows_of_a_class_say_nothing():
    assert (
        evaluate_target_leakage("target_leakage", DAY, {"a": Power(1.0, 1.0, 4, 500)}, TargetLeakageCheck()).passed
        is None
    )
    assert (
        evaluate_target_leakage("target_leakage", DAY, {"a": Power(1.0, 1.0, 500, 4)}, TargetLeakageCheck()).passed
        is None
    )
    assert evaluate_target_leakage("target_leakage", DAY, {}, TargetLeakageCheck()).passed is None
