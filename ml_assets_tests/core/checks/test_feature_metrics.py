"""Named figures of a day, and their bounds."""

import math

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.checks.feature_metrics import evaluate_metrics, measure_features
from ml_assets_tests.core.features.feature_cases import spec_with
from ml_assets_tests.core.profiling.profile_cases import DAY

AMOUNT = {"kind": "column", "columns": ["amount"]}
METRICS = [
    {"name": aggregate, "aggregate": aggregate, "column": "amount"}
    for aggregate in ("sum", "mean", "minimum", "maximum", "missing_share")
]
FRAME = pd.DataFrame({"id": range(4), "card": pd.array([7, 7, 8, None], "Int64"), "amount": [1.0, 2.0, 6.0, np.nan]})


def test_rows_entities_and_aggregates_without_missing_values():
    found = measure_features(spec_with(AMOUNT, entity="card", metrics=METRICS), FRAME)
    expected = {
        "row_count": 4,
        "distinct_card": 2,
        "sum": 9,
        "mean": 3,
        "minimum": 1,
        "maximum": 6,
        "missing_share": 0.25,
    }
    assert dict(zip(found["metric"], found["value"], strict=True)) == expected
    assert found["value"].dtype == np.float64


def test_figures_of_no_values_are_nan():
    found = measure_features(spec_with(AMOUNT, metrics=METRICS), FRAME.iloc[:0])
    assert found["value"].tolist() == pytest.approx([0, 0, math.nan, math.nan, math.nan, math.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("value", "passed", "reason"),
    [
        (3.0, True, "2 figures are within their bounds"),
        (1.0, False, "average is not at least 2 and at most 4"),
        (5.0, False, "average"),
        (math.nan, False, "average nan is not"),
    ],
)
def test_a_figure_outside_its_bounds_is_named(value, passed, reason):
    metrics = [{"name": "average", "aggregate": "mean", "column": "amount", "at_least": 2, "at_most": 4}]
    found = evaluate_metrics(
        spec_with(AMOUNT, metrics=metrics), "feature_metrics", DAY, {"row_count": 5.0, "average": value}, "error"
    )
    assert found.passed is passed
    assert all(part in found.reason for part in reason.split(" is not "))
    assert found.lines[0 if not passed else 1] == pytest.approx(
        {"metric": "average", "value": value, "at_least": 2, "at_most": 4, "outside": not passed}, nan_ok=True
    )


def test_a_day_that_was_not_measured_is_not_judged():
    assert evaluate_metrics(spec_with(AMOUNT), "feature_metrics", DAY, {}, "error").passed is None
