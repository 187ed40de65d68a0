"""Gates that nothing can pass are refused."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused, change


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("gates", {}, "at least 1 item"),
        ("gates", {"accuracy": {"minimum": 0.9}}, "accuracy"),
        ("gates", {"roc_auc": {}}, "give minimum, maximum or both"),
        ("gates", {"roc_auc": {"minimum": 0.9, "maximum": 0.1}}, "nothing passes"),
        ("gates", {"roc_auc": {"minimum": 1.5}}, "roc_auc: minimum 1.5 is not within 0 to 1"),
        ("gates", {"brier_score": {"maximum": -0.1}}, "brier_score: maximum -0.1 is not within 0 to 1"),
        ("gates", {"roc_auc": {"minimum": float("nan")}}, "finite number"),
        ("gates", {"log_loss": {"maximum": float("inf")}}, "finite number"),
        ("gates", {"recall": {"slice_minimum": 0.5}}, "give minimum, maximum or both"),
        (
            "gates",
            {"recall": {"minimum": 0, "slice_minimum": 0.5}},
            "gates.recall: slice_minimum and slice_maximum need evaluation.slices",
        ),
        (
            "gates",
            {"recall": {"minimum": 0, "slice_minimum": 0.5, "slice_maximum": 0.4}},
            "above slice_maximum 0.4: nothing passes",
        ),
        ("gates", {"recall": {"minimum": 0, "slice_maximum": 1.1}}, "recall: slice_maximum 1.1 is not within 0 to 1"),
        ("champion", {"metric": "calibration_ratio"}, "champion.metric"),
        ("champion", {"margin": -0.1}, "greater than or equal to 0"),
        ("evaluation.slice_min_positives", 0, "greater than or equal to 1"),
    ],
)
def test_gates_that_make_no_sense_are_refused_with_the_reason(small, path, value, reason):
    assert_refused(small, path, value, reason)


def test_calibration_is_a_gate_and_the_ratio_may_exceed_one(small):
    change(
        small, "gates", {"calibration_ratio": {"minimum": 0.8, "maximum": 1.25}, "calibration_error": {"maximum": 0.05}}
    )
    assert ModelSpec.model_validate(small).gates["calibration_ratio"].maximum == 1.25
