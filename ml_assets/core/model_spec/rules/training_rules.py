"""Rules between the training of a model and its task: objective, threshold, parameters, search and constraints."""

from collections.abc import Mapping, Sequence

from ml_assets.core.model_spec.source import Column
from ml_assets.core.model_spec.training import Threshold, Training
from ml_assets.core.model_spec.types.base import repeated
from ml_assets.core.model_spec.types.metric_names import compared_metrics
from ml_assets.core.model_spec.types.numbers import format_number
from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, REGRESSION, Outputs, Task

SEARCHED_METRICS = ("average_precision", "roc_auc", "log_loss", "precision", "recall", "f1")
"""Metrics of a binary target that training measures, so that a search can optimize them."""

BINS_OF_OTHER_TASKS = 256
"""XGBoost's own default number of histogram bins, used for tasks other than binary."""


def complete_training(attributes: Mapping) -> Mapping:
    """Return the attributes of a specification with the default number of bins of its task, unless it states one."""
    training = attributes.get("training")
    if attributes.get("task") not in (REGRESSION, MULTICLASS) or not isinstance(training, Mapping):
        return attributes
    parameters = training.get("parameters", {})
    if not isinstance(parameters, Mapping):
        return attributes
    return {**attributes, "training": {**training, "parameters": {"max_bin": BINS_OF_OTHER_TASKS, **parameters}}}


def check_training(
    outputs: Outputs, training: Training, column: Column, numeric: Sequence[str], names: Sequence[str]
) -> None:
    """Check that the objective, threshold, parameters and constraints of training fit the task and its target.

    Args:
        outputs: the predictions of the model.
        training: the field `training`.
        column: the column of the target.
        numeric: names of the features that are numbers.
        names: names of all features.

    Raises:
        ValueError: names the field and the reason.
    """
    parameters, task = training.parameters, outputs.task
    searched = SEARCHED_METRICS if task == BINARY else compared_metrics(outputs)
    if training.search is not None and training.search.metric not in searched:
        raise ValueError(
            f"training.search.metric: {training.search.metric} is not measured in training; choose one of "
            f"{', '.join(searched)}"
        )
    if task != REGRESSION and (training.objective is not None or training.quantiles):
        field = "objective" if training.objective is not None else "quantiles"
        raise ValueError(f"training.{field}: only a regression has it, and the task is {task}")
    if task != BINARY and training.threshold != Threshold():
        raise ValueError(f"training.threshold: only a binary target has decisions, and the task is {task}")
    if task != BINARY and parameters.scale_pos_weight != 1:
        raise ValueError(
            f"training.parameters.scale_pos_weight: only a binary target has positives, and the task is {task}; "
            "`sample_weight` weighs rows"
        )
    _check_base_score(task, training)
    objective = training.objective or "squared_error"
    for name, needed in [("tweedie_variance_power", "tweedie"), ("huber_slope", "pseudo_huber")]:
        if getattr(parameters, name) is not None and (task != REGRESSION or objective != needed):
            raise ValueError(f"training.parameters.{name}: it has no effect without training.objective {needed}")
    if task == REGRESSION and objective in ("poisson", "tweedie", "gamma"):
        is_strict = objective == "gamma"
        lowest = column.minimum
        if lowest is None or lowest < 0 or (is_strict and lowest == 0):
            raise ValueError(
                f"training.objective: {objective} needs a target {'above 0' if is_strict else 'of 0 or more'}; set the "
                f"minimum of its column {'above 0' if is_strict else 'to 0'}, or choose another objective"
            )
    _check_constraints(task, training, numeric, names)


def _check_base_score(task: Task, training: Training) -> None:
    if (score := training.parameters.base_score) is None:
        return
    where = f"training.parameters.base_score: {format_number(score)}"
    if task == MULTICLASS:
        raise ValueError(f"{where}: one value cannot be where the scores of several classes start")
    if task == BINARY and not 0 < score < 1:
        raise ValueError(f"{where} is not between 0 and 1, as a probability is")
    if training.objective in ("poisson", "tweedie", "gamma") and score <= 0:
        raise ValueError(f"{where} is not above 0, as the prediction of {training.objective} is")


def _check_constraints(task: Task, training: Training, numeric: Sequence[str], names: Sequence[str]) -> None:
    if training.monotone and task == MULTICLASS:
        raise ValueError(
            "training.monotone: the probabilities of all classes cannot rise together with a feature; it is "
            "for binary and regression"
        )
    for name in training.monotone:
        if name not in numeric:
            kind = "a category, which has no order" if name in names else "not a feature"
            raise ValueError(f"training.monotone: {name} is {kind}; choose from {', '.join(numeric) or 'no features'}")
    for position, group in enumerate(training.interactions):
        where = f"training.interactions[{position}]"
        if unknown := [name for name in group if name not in names]:
            raise ValueError(f"{where}: no such feature: {', '.join(unknown)}; the features are {', '.join(names)}")
        if twice := repeated(group):
            raise ValueError(f"{where}: named more than once: {', '.join(twice)}")
