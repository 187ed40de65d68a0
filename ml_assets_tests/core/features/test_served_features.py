"""Features as served are compared with those of the batch row by row, with how much they differ."""

import pandas as pd
import pytest

from ml_assets.core.features.served_features import FeatureDifference, comparable_features, compare_served
from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.conftest import SMALL

FEATURES = [*SMALL["features"], {"kind": "categorical", "columns": ["card"]}]
SPEC = ModelSpec.model_validate({**SMALL, "features": FEATURES, "deployment": {"capture": {}}})
NAN = float("nan")


def frame(ids: list[int], cards: list[str | None], amounts: list[float], counts: list[float]) -> pd.DataFrame:
    columns = {"id": ids, "card": cards, "amount": amounts, "count_by_card_1d": counts}
    return pd.DataFrame(columns).assign(amount_mean_by_card_1d=NAN, not_kept=None)


def test_equal_rows_have_no_difference_and_missing_values_are_equal():
    rows = frame([1, 2], ["a", None], [1.0, NAN], [3.0, 4.0])
    comparison = compare_served(SPEC, rows, rows.iloc[::-1], 0.0)
    assert (comparison.served, comparison.landed) == (2, 2)
    assert {difference.differing for difference in comparison.differences} == {0}
    assert {difference.feature for difference in comparison.differences} == set(SPEC.feature_names())


def test_differences_are_counted_and_measured_for_the_rows_that_landed():
    served = frame([1, 2, 3, 9], ["a", "b", "c", "d"], [1.0, 2.0, 3.0, 4.0], [3.0, NAN, 1.0, 1.0])
    computed = frame([1, 2, 3], ["a", "x", "c"], [1.0, 2.0, 3.0 + 1e-12], [4.0, 1.0, 6.0])
    comparison = compare_served(SPEC, served, computed, 1e-9)
    assert (comparison.served, comparison.landed) == (4, 3)
    first, second, *others = comparison.differences
    example = {"id": "3", "served": "1.0", "computed": "6.0"}
    assert first == FeatureDifference("count_by_card_1d", 3, 3, 5.0, 3.0, example)
    assert (second.feature, second.differing, second.share, second.largest) == ("card", 1, pytest.approx(1 / 3), None)
    assert second.example == {"id": "2", "served": "b", "computed": "x"}
    assert {difference.differing for difference in others} == {0}


def test_a_row_that_was_served_twice_is_compared_twice():
    twice = frame([1, 1], ["a", "a"], [1.0, 2.0], [1.0, 1.0])
    comparison = compare_served(SPEC, twice, twice[:1], 0.0)
    assert comparison.differences[0] == FeatureDifference(
        "amount", 2, 1, 1.0, 1.0, {"id": "1", "served": "2.0", "computed": "1.0"}
    )


def test_hashed_and_absent_features_are_not_compared():
    capture = {"hashed": ["card"], "leave_out": ["amount"]}
    spec = ModelSpec.model_validate({**SMALL, "features": FEATURES, "deployment": {"capture": capture}})
    assert comparable_features(spec) == ["count_by_card_1d", "amount_mean_by_card_1d"]


def test_rows_whose_service_did_not_keep_a_feature_yet_are_not_compared_by_it():
    served = frame([1, 2], ["a", "b"], [NAN, 2.0], [1.0, 2.0]).assign(not_kept=["score,amount", None])
    computed = frame([1, 2], ["a", "b"], [1.0, 2.0], [1.0, 2.0])
    differences = compare_served(SPEC, served, computed, 0.0).differences
    rows = {difference.feature: (difference.rows, difference.differing) for difference in differences}
    assert (rows["amount"], rows["count_by_card_1d"]) == ((1, 0), (2, 0))
