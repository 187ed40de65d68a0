"""Rules between the features and the columns of a model: types, names, and target leakage."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ml_assets.core.model_spec.features import Categorical, Feature, RowTransform, WindowAggregate
from ml_assets.core.model_spec.labels import Labels
from ml_assets.core.model_spec.source import Column, column_of
from ml_assets.core.model_spec.training import Preprocessing
from ml_assets.core.model_spec.types.base import RESERVED, repeated
from ml_assets.core.model_spec.types.derived_target import DerivedTarget
from ml_assets.core.model_spec.types.durations import format_duration

OWN_VALUE = {"difference", "ratio", "zscore"}
"""Aggregates that use the row's own value."""
VALUE_TYPES = {int: "integer", bool: "boolean", str: "string"}


def check_features(
    columns: Mapping[str, Column], features: Sequence[Feature], target: str, late: Mapping[str, timedelta]
) -> None:
    """Check that the features fit the columns of their model and do not leak its target.

    Args:
        columns: the contract of a row, by column name.
        features: in the order in which the model sees them.
        target: the column of the label.
        late: the columns that are known later than their rows, including the target, each with its delay.

    Raises:
        ValueError: names the feature and the reason.
    """
    if twice := repeated(name.lower() for feature in features for name in feature.names()):
        raise ValueError(
            f"features: defined more than once: {', '.join(twice)} (tables do not distinguish upper and lower case)"
        )
    column_names = {name.lower() for name in columns}
    for position, feature in enumerate(features):
        where = f"features[{position}] ({feature.kind})"
        if isinstance(feature, RowTransform | Categorical):
            _check_row_feature(columns, target, late, where, feature)
        elif isinstance(feature, WindowAggregate):
            _check_window(columns, target, late, where, feature)
        own_columns = (
            feature.columns
            if isinstance(feature, RowTransform | Categorical) and feature.kind in ("column", "categorical")
            else []
        )
        for name in feature.names():
            if name.lower() in RESERVED or (name.lower() in column_names and name not in own_columns):
                raise ValueError(
                    f"{where}: it computes {name}, which is the name of a column (case is ignored); "
                    "rename the column (`source` is its name in the files)"
                )


def check_preprocessing(preprocessing: Preprocessing, numeric: Sequence[str], categorical: Sequence[str]) -> None:
    """Check that only numeric features are scaled and only categorical features encoded.

    Raises:
        ValueError: names the field, the feature and the allowed features.
    """
    for field, allowed in [("scale", numeric), ("encode", categorical)]:
        for name in getattr(preprocessing, field):
            if name not in allowed:
                raise ValueError(
                    f"training.preprocessing.{field}: {name} is not one of {', '.join(allowed) or 'no features'}"
                )


def _check_row_feature(
    columns: Mapping[str, Column],
    target: str,
    late: Mapping[str, timedelta],
    where: str,
    feature: RowTransform | Categorical,
) -> None:
    allowed = (
        ("integer", "number", "boolean") if isinstance(feature, RowTransform) else ("string", "integer", "boolean")
    )
    for name in feature.columns:
        if name == target:
            raise ValueError(f"{where}: {name} is the target; as a feature it would leak the label")
        if name in late:
            raise ValueError(f"{where}: {_known_later(name, late)}, so it cannot be a feature of its own row")
        if column_of(columns, where, name).type not in allowed:
            raise ValueError(
                f"{where}: {name} is a {columns[name].type}, but {feature.kind} takes {', '.join(allowed)}"
            )


def _check_window(
    columns: Mapping[str, Column], target: str, late: Mapping[str, timedelta], where: str, feature: WindowAggregate
) -> None:
    for name in feature.key:
        column_of(columns, where, name)
        if name == target:
            raise ValueError(f"{where}: the target {name} as key would leak the label")
        if name in late:
            raise ValueError(f"{where}: {_known_later(name, late)}, so it cannot be a key")
    if feature.value is None:
        return
    if column_of(columns, where, feature.value).type not in ("integer", "number", "boolean"):
        raise ValueError(f"{where}: {feature.value} is a {columns[feature.value].type} and cannot be aggregated")
    if feature.value == target:
        _check_target_window(target, late[target], where, feature)
    elif feature.value in late:
        needed, known = late[feature.value], _known_later(feature.value, late)
        if feature.delay < needed:
            raise ValueError(
                f"{where}: {known}; set delay to at least {format_duration(needed)}, not "
                f"{format_duration(feature.delay)}"
            )
        if OWN_VALUE & set(feature.aggregates):
            raise ValueError(f"{where}: {known}, and {', '.join(sorted(OWN_VALUE))} use the row's own value")


def _check_target_window(target: str, label_delay: timedelta, where: str, feature: WindowAggregate) -> None:
    if not feature.delay:
        raise ValueError(
            f"{where}: an aggregate of the target {target} without delay contains the row's own label; set delay to at "
            f"least the label_delay, {format_duration(label_delay)}"
        )
    if feature.delay < label_delay:
        raise ValueError(
            f"{where}: aggregates of the target {target} need delay of at least the label_delay "
            f"{format_duration(label_delay)}, not {format_duration(feature.delay)}: the labels are not known earlier, "
            "so they would leak"
        )
    if OWN_VALUE & set(feature.aggregates):
        raise ValueError(
            f"{where}: difference, ratio and zscore use the row's own value, which for the target is the label"
        )


def _known_later(name: str, late: Mapping[str, timedelta]) -> str:
    return f"{name} is known {format_duration(late[name])} after its row"


def check_late_columns(
    columns: Mapping[str, Column],
    late: Mapping[str, timedelta],
    derived: DerivedTarget | None,
    labels: Labels | None,
    roles: Sequence[str],
) -> None:
    """Check that columns needed at serving time are known with the row, and that a derived target fits its column.

    Args:
        columns: the contract of a row, by column name.
        late: the columns that are known later than their rows, each with its delay.
        derived: the rule of a derived target.
        labels: the label files, which exclude a derived target.
        roles: the columns that a row needs at serving time: keys, time, entity, slices, weight.

    Raises:
        ValueError: names the field and the reason.
    """
    if wrong := [name for name in roles if name in late]:
        raise ValueError(
            f"columns.{wrong[0]}: {_known_later(wrong[0], late)}, but a row is identified, sliced or weighted by it"
        )
    if derived is None:
        return
    origin = column_of(columns, "target.column", derived.column)
    ((rule, value),) = derived.rule().items()
    if labels is not None:
        raise ValueError(
            "target.column: a derived target is made from a column of the rows; with labels, let the label files have "
            "the target itself"
        )
    if rule in ("above", "below") and origin.type not in ("integer", "number"):
        raise ValueError(f"target.{rule}: {derived.column} is a {origin.type}; {rule} is for integers and numbers")
    for item in value if isinstance(value, list) else [value]:
        if rule in ("equals", "in") and VALUE_TYPES.get(type(item)) != origin.type:
            raise ValueError(f"target.{rule}: {item!r} is not a value of {derived.column}, which is a {origin.type}")
        if rule in ("equals", "in") and origin.allowed and item not in origin.allowed:
            allowed = ", ".join(map(str, origin.allowed))
            raise ValueError(f"target.{rule}: {item!r} is not an allowed value of {derived.column}: {allowed}")
    label_delay = late[derived.name]
    if late[derived.column] > label_delay:
        raise ValueError(
            f"target.column: {_known_later(derived.column, late)}, later than the label_delay "
            f"{format_duration(label_delay)}"
        )
