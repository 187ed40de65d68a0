"""Rules between the task of a model and the metrics of its gates, its comparisons and its evaluation."""

from collections.abc import Mapping, Sequence
from typing import cast

from ml_assets.core.model_spec.checks.checks import Checks
from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.model_spec.evaluation import ChampionGate, Evaluation, Gates
from ml_assets.core.model_spec.rules.gate_rules import check_gates
from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.metric_names import (
    checked_metrics,
    compared_metrics,
    default_metric,
    measured_metrics,
    tasks_of,
)
from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, REGRESSION, Outputs

# The tasks of fields that only some tasks use.
_EVALUATION_TASKS = {
    "top_k": (BINARY,),
    "slice_min_positives": (BINARY,),
    "slice_min_rows": (REGRESSION, MULTICLASS),
    "top_classes": (MULTICLASS,),
}
_LABEL_RATE_TASKS = dict.fromkeys(("minimum", "maximum"), (BINARY, MULTICLASS))
_QUALITY_TASKS = {"minimum_positives": (BINARY,)}
_CANARY_TASKS = {
    "minimum_positives": (BINARY,),
    "maximum_decision_ratio": (BINARY,),
    "maximum_prediction_distance": (REGRESSION, MULTICLASS),
}


def complete_metrics(attributes: Mapping) -> Mapping:
    """Return the attributes of a specification in which comparisons without a metric have one: that of
    `champion.metric` for the canary and, if it can be checked, the quality of predictions; else the task's default.
    """
    task, training = attributes.get("task", BINARY), attributes.get("training")
    if task not in (BINARY, REGRESSION, MULTICLASS):
        return attributes
    quantiles = training.get("quantiles") if isinstance(training, Mapping) else None
    outputs = Outputs(task, quantiles=tuple(quantiles) if isinstance(quantiles, list) else ())
    metric, champion = default_metric(outputs), attributes.get("champion", {})
    completed = {**attributes, "champion": _with_metric(champion, metric)}
    if isinstance(training, Mapping) and isinstance(training.get("search"), Mapping):
        completed["training"] = {**training, "search": _with_metric(training["search"], metric)}
    stated = champion.get("metric") if isinstance(champion, Mapping) else None
    compared = stated if isinstance(stated, str) else metric
    deployment = attributes.get("deployment")
    if isinstance(deployment, Mapping) and isinstance(deployment.get("canary"), Mapping):
        completed["deployment"] = {**deployment, "canary": _with_metric(deployment["canary"], compared)}
    checks = attributes.get("checks", {})
    if isinstance(checks, Mapping):
        # Of a binary model, only some metrics can be estimated.
        checked = compared if task != BINARY or compared in checked_metrics(outputs) else metric
        quality = _with_metric(checks.get("prediction_quality", {}), checked)
        completed["checks"] = {**checks, "prediction_quality": quality}
    return completed


def _with_metric(comparison: object, metric: str) -> object:
    return {"metric": metric, **cast("Mapping", comparison)} if isinstance(comparison, Mapping) else comparison


def check_metrics_of_task(
    outputs: Outputs,
    evaluation: Evaluation,
    gates: Gates,
    champion: ChampionGate | None,
    canary: Canary | None,
    checks: Checks,
) -> None:
    """Check that gates and comparisons use metrics of the task, and that the bounds of gates can be passed.

    Settings of evaluation, canary and checks that only other tasks use are refused.

    Args:
        outputs: the predictions of the model.
        evaluation: the field `evaluation`.
        gates: the gates by metric.
        champion: the comparison with the champion.
        canary: the canary release.
        checks: the field `checks`.

    Raises:
        ValueError: names the field and the reason.
    """
    for metric in gates:
        _check_metric(f"gates.{metric}", metric, outputs, measured_metrics(outputs))
    check_gates(gates, evaluation.slices)
    for field, part in [("champion.metric", champion), ("deployment.canary.metric", canary)]:
        if part is not None:
            _check_metric(field, part.metric, outputs, compared_metrics(outputs))
    if (quality := checks.prediction_quality) is not None:
        _check_metric("checks.prediction_quality.metric", quality.metric, outputs, checked_metrics(outputs))
        _check_fields("checks.prediction_quality", outputs.task, quality, _QUALITY_TASKS)
    _check_fields("evaluation", outputs.task, evaluation, _EVALUATION_TASKS)
    classes, k = len(outputs.classes), evaluation.top_classes
    if classes and k >= classes and k != Evaluation.model_fields["top_classes"].default:
        raise ValueError(
            f"evaluation.top_classes is {k}, but there are only {classes} classes, so every prediction would count as "
            f"correct; set it below {classes}"
        )
    if canary is not None:
        _check_fields("deployment.canary", outputs.task, canary, _CANARY_TASKS)
    if checks.label_rate is not None:
        _check_fields("checks.label_rate", outputs.task, checks.label_rate, _LABEL_RATE_TASKS)


def _check_fields(where: str, task: str, part: SpecPart, tasks_by_field: Mapping[str, Sequence[str]]) -> None:
    for field, tasks in tasks_by_field.items():
        if task not in tasks and getattr(part, field) != type(part).model_fields[field].default:
            raise ValueError(
                f"{where}.{field}: only a model of task {' or '.join(tasks)} has it, and the task is {task}"
            )


def _check_metric(field: str, metric: str, outputs: Outputs, names: Sequence[str]) -> None:
    if metric in names:
        return
    if metric in ("pinball_loss", "interval_coverage") and outputs.task == REGRESSION:
        needed = "quantiles" if metric == "pinball_loss" else "two quantiles or more"
        raise ValueError(f"{field}: {metric} needs training.objective quantile with {needed}")
    if metric in measured_metrics(outputs):
        raise ValueError(f"{field}: {metric} is not compared here; choose one of {', '.join(names)}")
    others = [other for other in tasks_of(metric) if other != outputs.task]
    belongs = f", but of task {' and '.join(others)}" if others else ""
    raise ValueError(
        f"{field}: {metric} is not a metric of task {outputs.task}{belongs}; choose one of {', '.join(names)}"
    )
