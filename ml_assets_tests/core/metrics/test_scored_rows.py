"""Each task reads its own columns of targets and predictions, and refuses values that are not of it."""

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.metrics.classification import RowMetrics
from ml_assets.core.metrics.multiclass import MulticlassMetrics
from ml_assets.core.metrics.regression import RegressionMetrics
from ml_assets.core.metrics.resampled import point_values
from ml_assets.core.metrics.scored_rows import TaskMetrics
from ml_assets.core.model_spec.types.task import Outputs

NAN = float("nan")


def _positions(*labels):
    return lambda column: pd.Index(labels, dtype=object).get_indexer(pd.Index(column.to_numpy(dtype=object)))


def _numbers(column):
    return column.to_numpy(dtype=float)


BINARY_TASK = TaskMetrics(Outputs(), "label", _numbers)
REGRESSION_TASK = TaskMetrics(Outputs("regression", quantiles=(0.1, 0.9)), "delay", _numbers, weight="weight")
MULTICLASS_TASK = TaskMetrics(
    Outputs("multiclass", classes=("bus", "light rail")), "mode", _positions("bus", "light rail")
)
DELAYS = pd.DataFrame(
    {
        "delay": [1, 2, None, 4],
        "prediction": [1.0, 3, 3, 4],
        "prediction_q10": 0.0,
        "prediction_q90": 5.0,
        "weight": [1, 0, 1, 2],
    }
)


def test_rows_without_a_target_or_with_weight_0_do_not_count():
    rows = REGRESSION_TASK.read_rows(REGRESSION_TASK.labelled(DELAYS))
    assert rows.targets.tolist() == [1, 4]
    assert rows.weights is not None
    assert rows.weights.tolist() == [1, 2]
    assert rows.predictions.tolist() == [[1, 0, 5], [4, 0, 5]]
    assert rows.select(np.array([False, True])).targets.tolist() == [4]


def test_classes_become_their_positions():
    frame = pd.DataFrame(
        {"mode": ["light rail", "bus"], "probability_bus": [0.2, 0.9], "probability_light_rail": [0.8, 0.1]}
    )
    rows = MULTICLASS_TASK.read_rows(frame)
    assert rows.targets.tolist() == [1, 0]
    assert "recall_light_rail" in MULTICLASS_TASK.measured


def test_integer_classes_are_read_with_missing_values():
    task = TaskMetrics(Outputs("multiclass", classes=(7, 3)), "mode", _positions(7, 3))
    frame = pd.DataFrame({"mode": pd.array([3, None, 7], dtype="Int64"), "probability_7": 0.5, "probability_3": 0.5})
    assert task.read_rows(task.labelled(frame)).targets.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("task", "columns", "message"),
    [
        (BINARY_TASK, {"label": [1], "score": [1.5]}, "score: 1 of 1 labelled rows have no score between 0 and 1"),
        (
            MULTICLASS_TASK,
            {"mode": ["bus"], "probability_bus": [NAN], "probability_light_rail": [0.0]},
            "probability_bus: 1 of 1",
        ),
        (
            REGRESSION_TASK,
            {"delay": [1], "prediction": [NAN], "prediction_q10": [0], "prediction_q90": [1], "weight": [1]},
            "prediction: 1 of 1 labelled rows have no prediction",
        ),
    ],
)
def test_rows_that_are_not_of_the_task_are_refused(task, columns, message):
    with pytest.raises(ValueError, match=message):
        task.read_rows(pd.DataFrame(columns))


def test_each_task_has_its_own_measure():
    rows = REGRESSION_TASK.read_rows(REGRESSION_TASK.labelled(DELAYS))
    measured = REGRESSION_TASK.measure(None)(rows.targets, rows.predictions, rows.weights)
    assert isinstance(measured, RegressionMetrics)
    assert point_values(measured)["interval_coverage"] == 1
    assert isinstance(BINARY_TASK.measure(0.5)(np.array([1]), np.array([0.7]), None), RowMetrics)
    assert isinstance(MULTICLASS_TASK.measure(None)(np.array([1]), np.array([[0.2, 0.8]]), None), MulticlassMetrics)


@pytest.mark.parametrize("task", [BINARY_TASK, REGRESSION_TASK, MULTICLASS_TASK])
def test_compared_metrics_are_measured(task):
    assert {*task.compared} <= {*task.measured}
