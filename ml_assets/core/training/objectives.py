"""XGBoost parameters of a model: its objective, the metrics of the early-stopping part, and its constraints."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ml_assets.core.model.scorer import width
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS

# Average precision would be closer to the goal, but with few positives it is so noisy that training stops too early.
BINARY_METRICS = ("logloss", "aucpr")
# XGBoost's own default, which the name of the metric repeats.
TWEEDIE_POWER = 1.5
_OBJECTIVES = {
    "squared_error": ("reg:squarederror", "rmse"),
    "absolute_error": ("reg:absoluteerror", "mae"),
    "pseudo_huber": ("reg:pseudohubererror", "mphe"),
    "quantile": ("reg:quantileerror", "quantile"),
    "poisson": ("count:poisson", "poisson-nloglik"),
    "tweedie": ("reg:tweedie", "tweedie-nloglik"),
    "gamma": ("reg:gamma", "gamma-nloglik"),
}
BINARY_BASE_SCORE = 0.5
HUBER_QUANTILE = 0.9
_SIGNS = {"increasing": 1, "decreasing": -1}


def watched_metrics(spec: ModelSpec) -> list[str]:
    """Return XGBoost's names of the metrics of the early-stopping part; the first decides when training stops."""
    if spec.task == BINARY:
        return list(BINARY_METRICS)
    if spec.task == MULTICLASS:
        return ["mlogloss", "merror"]
    objective = spec.training.objective or "squared_error"
    metric = _OBJECTIVES[objective][1]
    if objective == "tweedie":
        return [f"{metric}@{spec.training.parameters.tweedie_variance_power or TWEEDIE_POWER:g}"]
    return [metric]


def stated_parameters(spec: ModelSpec) -> dict[str, Any]:
    """Return the parameters of the specification that have a value and apply to its task, by XGBoost's names."""
    parameters = {
        name: value for name, value in spec.training.parameters.model_dump(mode="json").items() if value is not None
    }
    if spec.task == BINARY:
        return {**parameters, "base_score": parameters.get("base_score", BINARY_BASE_SCORE)}
    return {name: value for name, value in parameters.items() if name != "scale_pos_weight"}


def scale_of_errors(spec: ModelSpec, labels: Callable[[], Iterable[np.ndarray]]) -> dict[str, float]:
    """Return `base_score` and `huber_slope` for the objective pseudo_huber, from the targets of the fit part; nothing
    for other objectives.

    Boosting starts from the median, and errors beyond the 0.9 quantile of the absolute deviations from it count as
    large, as in Friedman, Greedy Function Approximation: A Gradient Boosting Machine, 2001. XGBoost's own start and its
    slope of 1 diverge where errors are not of the order of 1.

    Args:
        spec: the model.
        labels: returns the targets of the rows, in parts; called for this objective only.
    """
    if spec.training.objective != "pseudo_huber":
        return {}
    values = np.concatenate(list(labels()))
    median = float(np.median(values))
    distance = float(np.quantile(np.abs(values - median), HUBER_QUANTILE))
    return {"base_score": median, "huber_slope": distance or 1.0}


def booster_parameters(
    spec: ModelSpec, preprocessing: Mapping[str, Any], defaults: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Return the parameters of XGBoost that determine a model.

    Args:
        spec: the model.
        preprocessing: the fitted preprocessing, see `Scorer`, which says how many columns a feature has.
        defaults: parameters that the specification may replace, see `scale_of_errors`.
    """
    parameters = {
        **(defaults or {}),
        **stated_parameters(spec),
        "tree_method": "hist",
        "eval_metric": watched_metrics(spec),
    }
    parameters["seed"] = spec.training.seed
    if spec.task == BINARY:
        parameters["objective"] = "binary:logistic"
    elif spec.task == MULTICLASS:
        parameters |= {"objective": "multi:softprob", "num_class": len(spec.classes)}
    else:
        objective = spec.training.objective or "squared_error"
        parameters["objective"] = _OBJECTIVES[objective][0]
        if objective == "quantile":
            parameters["quantile_alpha"] = list(spec.training.quantiles)
    return {**parameters, **_constraints(spec, preprocessing)}


def _constraints(spec: ModelSpec, preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constraints by matrix column; a one-hot encoded feature has several columns."""
    columns: dict[str, list[int]] = {}
    count = 0
    for feature in preprocessing["features"]:
        columns[feature["name"]] = list(range(count, count + width(feature)))
        count += width(feature)
    constraints: dict[str, Any] = {}
    if monotone := spec.training.monotone:
        signs = [_SIGNS.get(monotone.get(name, ""), 0) for name, positions in columns.items() for _ in positions]
        constraints["monotone_constraints"] = tuple(signs)
    if groups := spec.training.interactions:
        # As text, because XGBoost accepts lists only of names, and the matrix columns have no names.
        constraints["interaction_constraints"] = json.dumps(
            [[position for name in group for position in columns[name]] for group in groups]
        )
    return constraints
