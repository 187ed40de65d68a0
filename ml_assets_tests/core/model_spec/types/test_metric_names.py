"""Each task has its own metrics, and their direction and range are known."""

import pytest

from ml_assets.core.metrics.multiclass import MulticlassMetrics
from ml_assets.core.metrics.regression import RegressionMetrics
from ml_assets.core.metrics.resampled import point_values
from ml_assets.core.model_spec.types.metric_names import (
    LOWER_IS_BETTER,
    compared_metrics,
    default_metric,
    explain_undefined,
    lowest_difference,
    measured_metrics,
    metric_range,
    tasks_of,
)
from ml_assets.core.model_spec.types.task import Outputs

INTERVAL = Outputs("regression", quantiles=(0.1, 0.9))
CLASSES = Outputs("multiclass", classes=("a", "light rail"))


def test_the_metrics_of_a_task_are_those_that_are_computed():
    quantiles = {0.1: [0], 0.9: [2]}
    assert measured_metrics(Outputs("regression")) == tuple(point_values(RegressionMetrics([1], [1])))
    assert measured_metrics(INTERVAL) == tuple(point_values(RegressionMetrics([1], [1], quantiles)))
    assert measured_metrics(CLASSES) == tuple(point_values(MulticlassMetrics([0], [[1, 0]], ["a", "light_rail"])))


@pytest.mark.parametrize("outputs", [Outputs(), Outputs("regression"), INTERVAL, CLASSES])
def test_the_default_comparison_is_one_that_the_task_has(outputs):
    assert default_metric(outputs) in compared_metrics(outputs)


def test_of_errors_and_losses_lower_is_better():
    assert {metric for metric in compared_metrics(INTERVAL) if metric not in LOWER_IS_BETTER} == {"r2"}
    assert {metric for metric in compared_metrics(CLASSES) if metric in LOWER_IS_BETTER} == {"log_loss"}


def test_a_margin_in_the_unit_of_the_target_is_a_share_of_the_champion():
    assert lowest_difference("rmse", 0.02, 50) == -1
    assert lowest_difference("r2", 0.02, 50) == -0.02


@pytest.mark.parametrize(
    ("metric", "tasks"),
    [
        ("roc_auc", ["binary"]),
        ("log_loss", ["binary", "multiclass"]),
        ("recall_bus", ["multiclass"]),
        ("precision_at_k", ["binary"]),
        ("rmse", ["regression"]),
        ("speed", []),
    ],
)
def test_a_metric_belongs_to_its_tasks(metric, tasks):
    assert tasks_of(metric) == tasks


def test_ranges():
    assert metric_range("accuracy") == (0, 1)
    assert metric_range("rmse")[0] == 0
    assert metric_range("mean_bias")[0] < -1e9
    assert metric_range("smape") == (0, 2)


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("recall", "positives"),
        ("r2", "same target"),
        ("mape", "not 0"),
        ("recall_bus", "of the class"),
        ("mae", "rows"),
    ],
)
def test_an_undefined_metric_says_what_the_rows_lack(metric, reason):
    assert reason in explain_undefined(metric)
