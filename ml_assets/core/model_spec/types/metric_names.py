"""Names of the metrics of each task, their ranges, and which direction is better."""

import math
import re
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, WithJsonSchema

from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, REGRESSION, Outputs, column_part

BinaryMetric = Literal[
    "roc_auc",
    "average_precision",
    "precision",
    "recall",
    "f1",
    "precision_at_k",
    "entity_precision_at_k",
    "log_loss",
    "brier_score",
    "calibration_ratio",
    "calibration_error",
]
RegressionMetric = Literal[
    "rmse",
    "mae",
    "median_absolute_error",
    "mape",
    "smape",
    "r2",
    "mean_bias",
    "pinball_loss",
    "interval_coverage",
]
MulticlassMetric = Literal[
    "log_loss",
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "f1_micro",
    "f1_weighted",
    "roc_auc_ovr",
    "top_k_accuracy",
]
# precision_<class> and recall_<class>; precision "at k" is a metric of binary classification.
CLASS_PREFIXES = ("precision_", "recall_")
CLASS_METRIC = r"^(precision|recall)_[A-Za-z0-9_]+$"

BinaryCompared = Literal[
    "roc_auc", "average_precision", "precision", "recall", "f1", "log_loss", "brier_score", "calibration_error"
]
RegressionCompared = Literal["rmse", "mae", "median_absolute_error", "mape", "smape", "r2", "pinball_loss"]
_MEASURED = {BINARY: BinaryMetric, REGRESSION: RegressionMetric, MULTICLASS: MulticlassMetric}
_COMPARED = {BINARY: BinaryCompared, REGRESSION: RegressionCompared, MULTICLASS: MulticlassMetric}


def _metric_names(by_task: dict) -> dict[str, None]:
    return dict.fromkeys(metric for literal in by_task.values() for metric in get_args(literal))


def _check_known(by_task: dict, metric: str) -> str:
    names = _metric_names(by_task)
    if metric in names or is_class_metric(metric):
        return metric
    # A metric that is measured, but by which models are not compared.
    of_task = {task: by_task[task] for task, literal in _MEASURED.items() if metric in get_args(literal)}
    if of_task:
        raise ValueError(
            f"{metric} cannot be compared between models; choose one of {', '.join(_metric_names(of_task))}"
        )
    nearest = "".join(f"; did you mean {close}?" for close in get_close_matches(metric, names, 1))
    raise ValueError(
        f"{metric} is not a metric{nearest or '; docs/reference/model-metrics.md lists those of each task'}"
    )


def _json_schema(by_task: dict) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"enum": [*_metric_names(by_task)]}, {"type": "string", "pattern": CLASS_METRIC}]})


GateMetric = Annotated[str, AfterValidator(partial(_check_known, _MEASURED)), _json_schema(_MEASURED)]
ComparedMetric = Annotated[str, AfterValidator(partial(_check_known, _COMPARED)), _json_schema(_COMPARED)]

ESTIMATED = ("roc_auc", "average_precision", "precision", "recall", "f1")
"""The metrics of binary classification that can be estimated without labels."""
LOWER_IS_BETTER = (
    "log_loss",
    "brier_score",
    "calibration_error",
    "rmse",
    "mae",
    "median_absolute_error",
    "mape",
    "smape",
    "pinball_loss",
)
IN_UNIT_OF_TARGET = ("rmse", "mae", "median_absolute_error", "pinball_loss")
"""Compared metrics whose margin is a share of the champion's value, because a difference would depend on the unit."""
WITHOUT_SLICES = ("precision_at_k", "entity_precision_at_k")

_RANGES = {
    **dict.fromkeys(("log_loss", "calibration_ratio", "mean_bias"), (-math.inf, math.inf)),
    **dict.fromkeys(("mape", *IN_UNIT_OF_TARGET), (0, math.inf)),
    "smape": (0, 2),
    "r2": (-math.inf, 1),
}


def measured_metrics(outputs: Outputs) -> tuple[str, ...]:
    """Return the metrics of a task that a gate can bound, in the order in which they are shown."""
    return (*_with_quantiles(_MEASURED[outputs.task], outputs), *_of_classes(outputs))


def compared_metrics(outputs: Outputs) -> tuple[str, ...]:
    """Return the metrics by which two models of a task are compared."""
    return (*_with_quantiles(_COMPARED[outputs.task], outputs), *_of_classes(outputs))


def quality_metrics(outputs: Outputs) -> tuple[str, ...]:
    """Return the metrics of prediction quality: for binary classification those that can be estimated, else all
    measured metrics.
    """
    return ESTIMATED if outputs.task == BINARY else measured_metrics(outputs)


def checked_metrics(outputs: Outputs) -> tuple[str, ...]:
    """Return the metrics in `quality_metrics` that have a better direction."""
    return tuple(metric for metric in compared_metrics(outputs) if metric in quality_metrics(outputs))


def default_metric(outputs: Outputs) -> str:
    """Return the metric by which two models of a task are compared if the specification names none."""
    if outputs.task == REGRESSION:
        return "pinball_loss" if outputs.quantiles else "rmse"
    return "log_loss" if outputs.task == MULTICLASS else "average_precision"


def lowest_difference(metric: str, margin: float, champion_value: float) -> float:
    """Return the lowest difference from the champion, in the unit of the metric, that is within a margin.

    Args:
        metric: the compared metric.
        margin: difference by which a model may be worse; for a metric in the unit of the target, a share of the
            champion's value.
        champion_value: value of the metric of the champion.
    """
    return 0 - margin * (champion_value if metric in IN_UNIT_OF_TARGET else 1)


def metric_range(metric: str) -> tuple[float, float]:
    """Return the lowest and the highest value that a metric can have."""
    return _RANGES.get(metric, (0, 1))


def is_class_metric(metric: str) -> bool:
    """Return whether a metric is the precision or the recall of one class."""
    return re.match(CLASS_METRIC, metric) is not None and metric not in get_args(BinaryMetric)


def tasks_of(metric: str) -> list[str]:
    """Return the tasks for which a metric is measured."""
    return [
        task
        for task, names in _MEASURED.items()
        if metric in get_args(names) or (task == MULTICLASS and is_class_metric(metric))
    ]


def explain_undefined(metric: str) -> str:
    """Explain why a metric is undefined on its rows."""
    if metric in get_args(BinaryMetric):
        return "it lacks rows, positives, negatives or positive decisions"
    reasons = {
        "r2": "it has no rows, or all of them have the same target",
        "mape": "it has no rows whose target is not 0",
        "roc_auc_ovr": "it has rows of fewer than two classes",
    }
    of_class = "it has no rows of the class, or none that is predicted to be" if is_class_metric(metric) else ""
    return reasons.get(metric) or of_class or "it has no rows"


def _of_classes(outputs: Outputs) -> list[str]:
    return [f"{prefix}{column_part(label)}" for prefix in CLASS_PREFIXES for label in outputs.classes]


def _with_quantiles(metrics: object, outputs: Outputs) -> list[str]:
    """Return the metrics of a task without those that need more quantiles than the model predicts."""
    needed = {"pinball_loss": 1, "interval_coverage": 2}
    return [metric for metric in get_args(metrics) if len(outputs.quantiles) >= needed.get(metric, 0)]
