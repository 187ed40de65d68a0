"""Errors and predictions of two models are compared by task, on ten rows and more."""

import math

import numpy as np
import pytest

from ml_assets.core.metrics.scored_rows import TaskMetrics
from ml_assets.core.model_spec.types.task import Outputs
from ml_assets.core.release.canary_differences import compare_distributions, compare_errors

REGRESSION = TaskMetrics(Outputs("regression"), "delay", lambda labels: labels.to_numpy())
MULTICLASS = TaskMetrics(Outputs("multiclass", classes=("a", "b")), "mode", lambda labels: labels.to_numpy())
NONE = (None, None)


def _points(*values):
    return np.array(values, dtype=float)[:, None]


def _classes(positions):
    return np.eye(2)[positions]


def test_the_error_of_a_regression_is_its_mean_absolute_error_and_the_relative_increase():
    targets = np.arange(10.0)
    name, errors = compare_errors(REGRESSION, targets, (_points(*targets + 3), _points(*targets - 2)), NONE, None, 0.99)
    assert name == "error_increase"
    assert (errors.challenger, errors.champion, errors.difference) == (3, 2, 0.5)
    assert errors.low == errors.high == 0.5


def test_the_error_of_several_classes_is_the_share_of_wrong_ones():
    targets = np.array([0, 1] * 5)
    name, errors = compare_errors(MULTICLASS, targets, (_classes(1 - targets), _classes(targets)), NONE, None, 0.99)
    assert (name, errors.difference) == ("wrong_classes", 1)
    assert errors.low > 0.3


def test_weights_count_in_errors():
    targets, guesses = np.array([0, 0, 1]), np.array([0, 1, 1])
    _, errors = compare_errors(
        MULTICLASS, targets, (_classes(guesses), _classes(targets)), NONE, np.array([1, 2, 1.0]), 0.9
    )
    assert (errors.challenger, errors.champion) == (0.5, 0)


@pytest.mark.parametrize("shift", [0, 30])
def test_predictions_of_a_regression_are_far_apart_when_their_unit_changed(shift):
    values = np.random.default_rng(0).normal(size=400)
    name, distance = compare_distributions(REGRESSION, (_points(*values + shift), _points(*values)), NONE, 0.99)
    assert name == "prediction_distance"
    assert distance.challenger == pytest.approx(values.mean() + shift)
    assert (distance.low > 0.8) == (shift == 30)
    assert (distance.difference == 0) == (shift == 0)


def test_classes_are_far_apart_when_one_is_no_longer_predicted():
    positions = np.array([0, 1] * 100)
    _, same = compare_distributions(MULTICLASS, (_classes(positions), _classes(1 - positions)), NONE, 0.99)
    _, other = compare_distributions(MULTICLASS, (_classes(positions * 0), _classes(positions)), NONE, 0.99)
    assert same.difference == same.low == 0
    assert other.difference == 0.5
    assert 0.3 < other.low < 0.5


def test_few_rows_are_no_evidence_of_a_distance():
    _, distance = compare_distributions(REGRESSION, (_points(1, 2, 3), _points(10, 20, 30)), NONE, 0.99)
    assert (distance.difference, distance.low) == (1, 0)


def test_without_rows_nothing_is_defined():
    _, distance = compare_distributions(REGRESSION, (np.empty((0, 1)), np.empty((0, 1))), NONE, 0.99)
    _, errors = compare_errors(MULTICLASS, np.empty(0), (np.empty((0, 2)), np.empty((0, 2))), NONE, None, 0.9)
    assert math.isnan(distance.difference)
    assert math.isnan(errors.difference)
