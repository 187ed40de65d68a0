"""Feature metrics are computed by day and compared with their bounds."""

import math

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.checks.feature_metrics import evaluate_metrics, measure_features
from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.core.features.feature_cases import spec_with
from ml_assets_tests.core.profiling.profile_cases import DAY

AMOUNT = {"kind": "column", "columns": ["amount"]}
METRICS = [
    {"name": aggregate, "aggregate": aggregate, "column": "amount"}
    for aggregate in ("sum", "mean", "minimum", "maximum", "missing_share")
]
FRAME = pd.DataFrame({"id": range(4), "card": pd.array([7, 7, 8, None], "Int64"), "amount": [1.0, 2.0, 6.0, np.nan]})


def test_aggregates_ignore_missing_values():
    result = measure_features(spec_with(AMOUNT, entity="card", metrics=METRICS), FRAME)
    expected = {
        "row_count": 4,
        "distinct_card": 2,
        "sum": 9,
        "mean": 3,
        "minimum": 1,
        "maximum": 6,
        "missing_share": 0.25,
    }
    assert dict(zip(result["metric"], result["value"], strict=True)) == expected
    assert result["value"].dtype == np.float64


def test_the_name_of_the_entity_may_have_any_letters():
    spec = ModelSpec.model_validate(
        {**SMALL, "columns": {**SMALL["columns"], "CARD Nr.": {"type": "integer"}}, "entity": "CARD Nr."}
    )
    frame = pd.DataFrame({"CARD Nr.": [1, 1, 2]})
    measured = measure_features(spec, frame)
    assert dict(zip(measured["metric"], measured["value"], strict=True)) == {"row_count": 3, "distinct_CARD Nr.": 2}


def test_bounds_and_values_are_named_with_all_their_digits():
    bounded = {"name": "sum", "aggregate": "sum", "column": "amount", "at_least": 1234567.89}
    outcome = evaluate_metrics(
        spec_with(AMOUNT, metrics=[bounded]), "feature_metrics", DAY, {"row_count": 1, "sum": 1234567.5}, "error"
    )
    assert "sum 1234567.5 is not at least 1234567.89" in outcome.reason


def test_metrics_without_values_are_nan():
    result = measure_features(spec_with(AMOUNT, metrics=METRICS), FRAME.iloc[:0])
    assert result["value"].tolist() == pytest.approx([0, 0, math.nan, math.nan, math.nan, math.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("value", "passed", "reason"),
    [
        (3.0, True, "2 metrics are within their bounds"),
        (1.0, False, "average is not at least 2 and at most 4"),
        (5.0, False, "average"),
        (math.nan, False, "average nan is not"),
    ],
)
def test_a_metric_outside_its_bounds_is_named(value, passed, reason):
    metrics = [{"name": "average", "aggregate": "mean", "column": "amount", "at_least": 2, "at_most": 4}]
    result = evaluate_metrics(
        spec_with(AMOUNT, metrics=metrics), "feature_metrics", DAY, {"row_count": 5.0, "average": value}, "error"
    )
    assert result.passed is passed
    assert all(part in result.reason for part in reason.split(" is not "))
    assert result.lines[0 if not passed else 1] == pytest.approx(
        {"metric": "average", "value": value, "at_least": 2, "at_most": 4, "outside": not passed}, nan_ok=True
    )


def test_a_day_without_metrics_is_not_evaluated():
    assert evaluate_metrics(spec_with(AMOUNT), "feature_metrics", DAY, {}, "error").passed is None


def test_a_day_without_rows_is_not_evaluated():
    metrics = [{"name": "average", "aggregate": "mean", "column": "amount", "at_least": 2}]
    values = {"row_count": 0.0, "average": math.nan}
    outcome = evaluate_metrics(spec_with(AMOUNT, metrics=metrics), "feature_metrics", DAY, values, "error")
    assert (outcome.passed, outcome.reason) == (None, "the day has no rows")


def test_the_mean_of_values_whose_sum_is_beyond_doubles():
    extreme = pd.DataFrame({"id": [0, 1], "card": pd.array([7, 8], "Int64"), "amount": [1.5e308, 1.5e308]})
    result = measure_features(spec_with(AMOUNT, metrics=METRICS), extreme).set_index("metric")["value"]
    assert (result["mean"], result["maximum"]) == (1.5e308, 1.5e308)
