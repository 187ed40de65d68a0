"""served_features fails where a feature differs in too many of the served rows, and names how much."""

from datetime import date

import pytest

from ml_assets.core.checks.served_features import evaluate_served_features
from ml_assets.core.features.served_features import Comparison, FeatureDifference
from ml_assets.core.model_spec.checks.model_checks import ServedFeaturesCheck

DAY = date(2025, 1, 20)
EQUAL = FeatureDifference("amount", 100, 0)
SKEWED = FeatureDifference("mean_7d", 100, 30, 12.5, 3.25, {"id": "7", "served": "1.0", "computed": "13.5"})


@pytest.mark.parametrize(
    ("comparison", "passed", "words"),
    [
        (Comparison(0, 0, []), None, "no request was served"),
        (Comparison(5, 0, []), None, "none of the 5 served rows has landed"),
        (Comparison(120, 100, [EQUAL]), True, "100 of 120 served rows have landed; 1 of 1 features are equal"),
        (Comparison(120, 100, [SKEWED, EQUAL]), False, "mean_7d in 30.0% (by 3.25 on average)"),
        (Comparison(100, 100, [SKEWED] * 5), False, "and 2 more features"),
    ],
)
def test_the_share_of_differing_rows_decides(comparison, passed, words):
    outcome = evaluate_served_features("served_features", DAY, comparison, ServedFeaturesCheck())
    assert (outcome.passed, outcome.severity) == (passed, "warn")
    assert words in outcome.reason
    if comparison.differences:
        assert outcome.lines[0]["share_equal"] == 1 - comparison.differences[0].share


def test_a_line_has_the_difference_and_an_example():
    outcome = evaluate_served_features("served_features", DAY, Comparison(100, 100, [SKEWED]), ServedFeaturesCheck())
    assert outcome.lines == [
        {
            "feature": "mean_7d",
            "rows": 100,
            "differing": 30,
            "share_equal": 0.7,
            "largest_difference": 12.5,
            "mean_difference": 3.25,
            "example_id": "7",
            "example_served": "1.0",
            "example_computed": "13.5",
        }
    ]
