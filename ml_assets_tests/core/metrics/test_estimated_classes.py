"""The performance of classifiers of several classes is estimated with the values of NannyML."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics.estimated_classes import ClassCalibration, ClassEstimate, why_classes_not_estimated
from ml_assets.core.metrics.multiclass import MulticlassMetrics
from ml_assets.core.metrics.resampled import point_values
from ml_assets_tests.core.metrics.nannyml_oracle import CLASSES, classes_case

FIGURES = json.loads(Path(__file__).with_name("nannyml_figures.json").read_text())
NAMES = ["a", "b", "c"]


def small_estimate(rows: int = 60) -> tuple[ClassEstimate, np.ndarray, np.ndarray]:
    """Estimate calibrated rows; return their true classes and probabilities as well."""
    random = np.random.default_rng(3)
    predicted = random.dirichlet([0.5, 0.5, 0.5], 4 * rows)
    labels = (random.random((len(predicted), 1)) >= np.cumsum(predicted, axis=1)[:, :-1]).sum(axis=1)
    calibration = ClassCalibration(labels[rows:], predicted[rows:])
    return ClassEstimate(calibration, predicted[:rows], NAMES, 2), labels[:rows], predicted[:rows]


def test_values_are_those_of_nannyml():
    rows = classes_case()
    values = ClassEstimate(ClassCalibration(rows["labels"], rows["reference"]), rows["scores"], NAMES, 2).values()
    assert {name: values[name] for name in FIGURES[CLASSES]} == pytest.approx(FIGURES[CLASSES], rel=1e-6)


def test_the_realised_metrics_lie_in_the_interval():
    estimate, labels, predicted = small_estimate()
    intervals, realised = estimate.intervals(100, 0.99, seed=0), MulticlassMetrics(labels, predicted, NAMES)
    outside = [name for name, value in point_values(realised).items() if not within(value, intervals[name])]
    assert len(outside) <= 1, "of 14, by chance"
    assert estimate.intervals(100, 0.99, seed=0) == intervals
    assert all(within(value, intervals[name]) for name, value in estimate.values().items() if name != "log_loss")


def within(value: float, interval: tuple[float, float]) -> bool:
    return interval[0] - 1e-9 <= value <= interval[1] + 1e-9


@given(st.permutations(range(30)))
def test_a_calibration_does_not_depend_on_the_order_of_its_rows(order):
    random = np.random.default_rng(5)
    predicted, labels = random.dirichlet([1, 1, 1], 30), random.integers(0, 3, 30)
    counts = random.integers(0, 3, 30).astype(float)
    expected = ClassCalibration(labels, predicted).probabilities(predicted, counts)
    shuffled = ClassCalibration(labels[list(order)], predicted[list(order)]).probabilities(predicted, counts)
    np.testing.assert_array_equal(shuffled, expected)


def test_rows_that_no_class_claims_keep_their_prediction():
    calibration = ClassCalibration([0, 1, 2, 0], [[0.2, 0.4, 0.4], [0.4, 0.2, 0.4], [0.4, 0.4, 0.2], [0.3, 0.3, 0.4]])
    probabilities = calibration.probabilities(np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_equal_probabilities_and_a_single_row_are_estimated():
    flat = np.full((9, 3), 1 / 3)
    calibration = ClassCalibration([0, 0, 0, 0, 0, 0, 1, 1, 2], flat)
    values = ClassEstimate(calibration, flat[:1], NAMES, 2).values()
    assert values["accuracy"] == pytest.approx(6 / 9)
    assert values["roc_auc_ovr"] == pytest.approx(0.5)


def test_a_reason_is_given_where_a_class_is_too_rare():
    assert why_classes_not_estimated([0, 0, 1, 1], ["bus", "tram"], 2) is None
    assert why_classes_not_estimated([0, 0, 1], ["bus", "tram"], 2) == (
        "the holdout has 1 of tram; a calibration needs 2 rows of each class"
    )
