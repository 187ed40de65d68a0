"""prediction_quality fails when a whole interval lies below the holdout, and says why it cannot be evaluated."""

from datetime import date

import pytest

from ml_assets.core.checks.prediction_quality import evaluate_prediction_quality
from ml_assets.core.model_spec.checks.model_checks import PredictionQualityCheck

DAY = date(2025, 1, 20)
SETTINGS = PredictionQualityCheck(metric="recall", max_drop=0.1)


def row(**values) -> dict:
    return {
        "kind": "estimated",
        "predicted_on": DAY,
        "side": "champion",
        "model_version": 3,
        "metric": "recall",
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "holdout_value": 0.65,
        "rows": 100,
        "positives": 20.0,
        "note": None,
        **values,
    }


@pytest.mark.parametrize(
    ("rows", "passed", "words"),
    [
        ([row()], True, "estimated recall of version 3 on 2025-01-20 is 0.500 (0.400 to 0.600), on its holdout 0.650"),
        ([row(holdout_value=0.71)], False, "worse by more than 0.1, beyond chance"),
        ([row(), row(kind="realised", high=0.54)], False, "realised recall of version 3"),
        ([row(metric="f1", holdout_value=0.9)], None, "there are no predictions whose quality is known"),
        ([row(value=None, low=None, high=None, note="no calibration")], None, "no calibration"),
        ([row(rows=3, high=0.0)], None, "estimated quality of 2025-01-20 is of 3 rows, fewer than 50"),
        ([row(kind="realised", positives=1.0, high=0.0)], None, "is of 1 positive, fewer than 5"),
        ([row(rows=3, high=0.0), row(kind="realised")], True, "realised recall of version 3"),
        ([row(positives=None, high=0.1)], False, "worse by more than 0.1"),
        ([], None, "there are no predictions whose quality is known"),
    ],
)
def test_the_whole_interval_decides(rows, passed, words):
    outcome = evaluate_prediction_quality("prediction_quality", DAY, rows, SETTINGS)
    assert (outcome.passed, outcome.severity) == (passed, "warn")
    assert words in outcome.reason


@pytest.mark.parametrize(
    ("metric", "holdout", "low", "passed", "words"),
    [
        ("rmse", 10.0, 11.5, False, "worse by more than 0.1 of that of the holdout, beyond chance"),
        ("rmse", 10.0, 10.9, True, "10.900 to 12.000"),
        ("log_loss", 0.5, 0.61, False, "worse by more than 0.1, beyond chance"),
        ("log_loss", 0.5, 0.59, True, ""),
    ],
)
def test_a_larger_error_is_worse(metric, holdout, low, passed, words):
    line = row(metric=metric, kind="realised", value=low + 0.1, low=low, high=12.0, holdout_value=holdout)
    settings = PredictionQualityCheck(metric=metric, max_drop=0.1)
    outcome = evaluate_prediction_quality("prediction_quality", DAY, [line], settings)
    assert outcome.passed == passed
    assert words in outcome.reason
