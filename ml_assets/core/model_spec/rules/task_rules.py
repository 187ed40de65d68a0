"""Rules between the task of a model and its target, its classes, its weights, its training and its evaluation."""

from collections.abc import Mapping, Sequence

from ml_assets.core.model_spec.evaluation import Evaluation
from ml_assets.core.model_spec.features import Feature, WindowAggregate
from ml_assets.core.model_spec.labels import Labels
from ml_assets.core.model_spec.source import Column, column_of
from ml_assets.core.model_spec.types.base import repeated
from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, REGRESSION, SHADOW, Outputs, PositiveLabel, Task

_TYPE_OF_LABELS = {str: "string", int: "integer", bool: "boolean"}


def complete_classes(attributes: Mapping) -> Mapping:
    """Return the attributes of a specification in which the classes of a multiclass target and the allowed values of
    its column complete each other.
    """
    columns, target = attributes.get("columns"), attributes.get("target")
    if attributes.get("task") != MULTICLASS or not isinstance(columns, Mapping) or not isinstance(target, str):
        return attributes
    column = columns.get(target)
    if not isinstance(column, Mapping):
        return attributes
    classes = attributes.get("classes")
    if isinstance(classes, list) and column.get("allowed") is None and not _labels_of_other_types(column, classes):
        return {**attributes, "columns": {**columns, target: {**column, "allowed": classes}}}
    if column.get("allowed") and not classes:
        return {**attributes, "classes": column["allowed"]}
    return attributes


def check_target(
    columns: Mapping[str, Column], target: str, task: Task, classes: Sequence, positive: PositiveLabel | None
) -> None:
    """Check that the column of the target fits the task, and `classes` and `positive` fit the column.

    Args:
        columns: the contract of a row, by column name.
        target: the column of the label.
        task: the task of the model.
        classes: the classes of a multiclass target.
        positive: the label of the positive class of a binary target.

    Raises:
        ValueError: names the field and the reason.
    """
    column = columns[target]
    if classes and task != MULTICLASS:
        raise ValueError(f"classes: only a multiclass target has classes, and the task is {task}")
    if positive is not None and task != BINARY:
        raise ValueError(f"positive: only a binary target has a positive class, and the task is {task}")
    if task == REGRESSION and column.type not in ("integer", "number"):
        raise ValueError(f"target: {target} has type {column.type}, but a regression predicts an integer or a number")
    if task == MULTICLASS:
        _check_classes(column, target, classes)
    if task == BINARY:
        _check_positive(column, target, positive)


def _check_classes(column: Column, target: str, classes: Sequence) -> None:
    if column.type not in ("integer", "string"):
        raise ValueError(
            f"target: {target} has type {column.type}, but the classes of multiclass are integers or strings"
        )
    if len(classes) < 2:
        raise ValueError(
            f"classes: a multiclass target needs two classes or more; name them here, or as allowed values of {target}"
        )
    if wrong := _labels_of_other_types({"type": column.type}, classes):
        raise ValueError(f"classes: {wrong[0]!r} is not a value of {target}, which has type {column.type}")
    if "" in classes:
        raise ValueError(
            f"classes: '' cannot be a class, because a row without text has no label; name it in {target}'s files"
        )
    if twice := repeated(str(label) for label in classes):
        raise ValueError(f"classes: named more than once: {', '.join(twice)}")
    if set(classes) != set(column.allowed or ()):
        raise ValueError(
            f"classes: {', '.join(map(str, classes))} are not the allowed values of {target}: "
            f"{', '.join(map(str, column.allowed or ())) or 'none'}; leave one of the two out"
        )
    names = [name.lower() for name in Outputs(MULTICLASS, tuple(classes)).values]
    if twice := repeated(names):
        raise ValueError(
            f"classes: several would share the column {', '.join(twice)} of predictions, because names of columns keep "
            "only ASCII letters and digits and ignore case; rename one of the classes"
        )


def _labels_of_other_types(column: Mapping, labels: Sequence) -> list:
    return [label for label in labels if _TYPE_OF_LABELS.get(type(label)) != column.get("type")]


def _check_positive(column: Column, target: str, positive: PositiveLabel | None) -> None:
    allowed = set(column.allowed or ())
    if positive is None:
        if column.type != "boolean" and not (column.type == "integer" and allowed == {0, 1}):
            raise ValueError(
                f"target: {target} must be boolean, or integer with allowed: [0, 1]; or name one of two allowed labels "
                "as `positive`, or set `task` to regression or multiclass"
            )
        return
    if _TYPE_OF_LABELS[type(positive)] != column.type:
        hint = (
            "; YAML reads yes, no, on and off as booleans, so put text in quotes" if positive in (True, False) else ""
        )
        raise ValueError(f"positive: {positive!r} is not a value of {target}, which has type {column.type}{hint}")
    if column.type != "boolean" and not (len(allowed) == 2 and positive in allowed):
        raise ValueError(
            f"positive: {target} needs two allowed values, of which {positive!r} is one, not "
            f"{', '.join(map(str, column.allowed or ())) or 'none'}"
        )


def check_weight(columns: Mapping[str, Column], sample_weight: str | None, roles: Mapping[str, str | None]) -> None:
    """Check that the contract of the column of weights allows neither missing nor negative values.

    Args:
        columns: the contract of a row, by column name.
        sample_weight: the column of weights, if there is one.
        roles: the columns of other roles, by field.

    Raises:
        ValueError: names the column and the reason.
    """
    if sample_weight is None:
        return
    column = column_of(columns, "sample_weight", sample_weight)
    if role := next((role for role, name in roles.items() if name == sample_weight), None):
        raise ValueError(f"sample_weight: {sample_weight} cannot also be the {role}")
    if column.type not in ("integer", "number"):
        raise ValueError(
            f"sample_weight: {sample_weight} has type {column.type}, and a weight is an integer or a number"
        )
    if column.nullable:
        raise ValueError(f"sample_weight: {sample_weight} is nullable, but every row needs a weight")
    if column.minimum is None or column.minimum < 0 or column.severity_of("minimum") == "warn":
        raise ValueError(
            f"sample_weight: {sample_weight} may be negative; set columns.{sample_weight}.minimum to 0 or more, with "
            "severity error"
        )


def check_evaluation(
    task: Task,
    evaluation: Evaluation,
    labels: Labels | None,
    target: str,
    target_features: Sequence[Feature],
) -> None:
    """Refuse settings for positives and negatives, and numeric aggregates, for a target that has no such values.

    Args:
        task: the task of the model.
        evaluation: the field `evaluation`.
        labels: the field `labels`.
        target: the column of the label.
        target_features: the features that read the target of earlier rows.

    Raises:
        ValueError: names the field and the reason.
    """
    only = f"only a binary target has positives and negatives, and the task is {task}"
    if task != BINARY and evaluation.exclude_known_positives:
        raise ValueError(f"evaluation.exclude_known_positives: {only}")
    if task != BINARY and labels is not None and labels.unlabelled == "negative":
        raise ValueError(f"labels.unlabelled: {only}; a row without a label can only be excluded")
    if task == MULTICLASS and (windows := [f for f in target_features if isinstance(f, WindowAggregate)]):
        raise ValueError(
            f"features: {windows[0].names()[0]} aggregates the target {target}, whose classes are names and not amounts"
        )


def check_outputs(columns: Mapping[str, Column], features: Sequence[str], outputs: Outputs) -> None:
    """Check that no column or feature has the name of a column of predictions.

    Raises:
        ValueError: names the column or feature.
    """
    reserved = {name.lower() for name in (*outputs.columns, f"{SHADOW}{outputs.main}")}
    for field, names in [("columns", columns), ("features", features)]:
        for name in names:
            if name.lower() in reserved:
                raise ValueError(
                    f"{field}: {name} is the name of a column of the predictions of a {outputs.task} model; rename it"
                )
