"""Performance is estimated from calibrated scores, with the values of NannyML, and says when it cannot be."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from ml_assets.core.metrics.classification import point_metrics
from ml_assets.core.metrics.estimated_performance import (
    IsotonicCalibration,
    PerformanceEstimate,
    UnlabelledRows,
    why_not_estimated,
)
from ml_assets.core.model_spec.types.metric_names import ESTIMATED
from ml_assets_tests.core.metrics import nannyml_oracle
from ml_assets_tests.core.metrics.nannyml_oracle import CASES, case

FIGURES = json.loads(Path(__file__).with_name("nannyml_figures.json").read_text())
# NannyML rounds the expected counts of ROC AUC to five digits.
CLOSE = {"rel": 1e-6}


def estimate_of(base: float, shift: float, threshold: float) -> PerformanceEstimate:
    rows = case(base, shift)
    return PerformanceEstimate(IsotonicCalibration(rows["labels"], rows["reference"]), rows["scores"], threshold)


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_nannyml(name):
    assert estimate_of(*CASES[name]).values() == pytest.approx(FIGURES[name], **CLOSE)


@pytest.mark.slow
def test_the_figures_are_what_nannyml_gives():
    python = os.environ.get("NANNYML_PYTHON")
    if python is None:
        pytest.skip("NANNYML_PYTHON does not name the Python of an environment with NannyML")
    output = subprocess.run([python, nannyml_oracle.__file__], capture_output=True, text=True, check=True).stdout
    now = json.loads(output)
    assert {name: pytest.approx(figures, **CLOSE) for name, figures in FIGURES.items()} == now


def test_a_calibration_is_that_of_scikit_learn():
    rows = case(*CASES["rare positives"][:2])
    expected = IsotonicRegression(out_of_bounds="clip").fit(rows["reference"], rows["labels"]).predict(rows["scores"])
    calibration = IsotonicCalibration(rows["labels"], rows["reference"])
    np.testing.assert_allclose(calibration.probabilities(rows["scores"]), expected, atol=1e-12)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10)), min_size=1, max_size=30), st.integers(0, 10))
def test_certain_labels_have_their_realised_metrics(rows, threshold):
    labels, scores = np.array(rows, dtype=float).T
    expected = UnlabelledRows(scores / 10, threshold / 10).expected(labels)
    realised = point_metrics(labels.astype(int), scores / 10, threshold / 10)
    assert expected == pytest.approx({name: realised[name] for name in ESTIMATED}, nan_ok=True)


def test_the_realised_metrics_lie_in_the_interval():
    rows = case(-3.0, 0.3)
    estimate = PerformanceEstimate(IsotonicCalibration(rows["labels"], rows["reference"]), rows["scores"], 0.5)
    random, signal = np.random.default_rng(1), 0.0
    signal = (np.log(rows["scores"] / (1 - rows["scores"])) + 1.5) / 3
    labels = (random.random(len(signal)) < 1 / (1 + np.exp(-(1.5 * signal - 3.0)))).astype(int)
    realised, intervals = point_metrics(labels, rows["scores"], 0.5), estimate.intervals(100, 0.99, seed=0)
    assert {name: low <= realised[name] <= high for name, (low, high) in intervals.items()} == dict.fromkeys(
        ESTIMATED, True
    )
    assert estimate.intervals(100, 0.99, seed=0) == intervals
    assert estimate.positives == pytest.approx(labels.sum(), rel=0.15)


def test_metrics_without_an_expected_positive_are_undefined():
    rows = case(-3.0, 0.0)
    estimate = PerformanceEstimate(IsotonicCalibration(rows["labels"], rows["reference"]), [0.0, 0.0], 0.5)
    assert np.isnan([estimate.values()[name] for name in ("roc_auc", "average_precision", "recall")]).all()
    assert np.isnan(estimate.intervals(20, 0.95, seed=0)["recall"]).all()


def test_equal_scores_have_no_rank_and_the_share_of_positives():
    estimate = PerformanceEstimate(IsotonicCalibration([0, 0, 0, 1], [0.4] * 4), [0.4] * 10, 0.3)
    values = {"roc_auc": 0.5, "average_precision": 0.25, "precision": 0.25, "recall": 1, "f1": 0.4}
    assert estimate.values() == pytest.approx(values)
    assert estimate.positives == pytest.approx(2.5)


def test_scores_beyond_those_of_the_calibration_get_the_nearest_probability():
    calibration = IsotonicCalibration([0, 1, 0, 1], [0.2, 0.2, 0.3, 0.3])
    np.testing.assert_allclose(calibration.probabilities([0.0, 0.2, 0.3, 1.0]), 0.5)


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=4, max_size=30), st.floats(0, 1), st.data())
def test_estimates_and_intervals_are_shares_or_undefined_for_any_rows(rows, threshold, data):
    labels, scores = np.array(rows, dtype=float).T
    later = data.draw(st.lists(st.floats(0, 1), min_size=1, max_size=10))
    estimate = PerformanceEstimate(IsotonicCalibration(labels, scores), later, threshold)
    for value in estimate.values().values():
        assert np.isnan(value) or -1e-9 <= value <= 1 + 1e-9
    for low, high in estimate.intervals(20, 0.9, seed=0).values():
        assert np.isnan(low) or -1e-9 <= low <= high <= 1 + 1e-9


def test_a_reason_is_given_where_nothing_can_be_estimated():
    assert why_not_estimated([0] * 20 + [1] * 20, 20) is None
    assert why_not_estimated([0] * 20 + [1] * 19, 20) == (
        "the holdout has 19 positives and 20 negatives; a calibration needs 20 of each"
    )
