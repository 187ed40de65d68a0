"""Rules between the features and the columns of a model: types, names, and no leakage of the target."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ml_assets.core.model_spec.features import Categorical, Feature, RowTransform, WindowAggregate
from ml_assets.core.model_spec.source import Column, column_of
from ml_assets.core.model_spec.training import Preprocessing
from ml_assets.core.model_spec.types.base import RESERVED, repeated
from ml_assets.core.model_spec.types.durations import format_duration


def check_features(
    columns: Mapping[str, Column], features: Sequence[Feature], target: str, label_delay: timedelta
) -> None:
    """Check that the features fit the columns of their model and do not leak its target.

    Args:
        columns: the contract of a row, by column name.
        features: in the order in which the model sees them.
        target: the column of the label.
        label_delay: how long after its event the label of a row is known.

    Raises:
        ValueError: names the feature and the reason.
    """
    if twice := repeated(name.lower() for feature in features for name in feature.names()):
        raise ValueError(
            f"features: {', '.join(twice)} is defined more than once (tables do not distinguish upper and lower case)"
        )
    column_names = {name.lower() for name in columns}
    for position, feature in enumerate(features):
        where = f"features[{position}] ({feature.kind})"
        if isinstance(feature, RowTransform | Categorical):
            _check_row_feature(columns, target, where, feature)
        elif isinstance(feature, WindowAggregate):
            _check_window(columns, target, label_delay, where, feature)
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
    """Check that numeric features are scaled and categorical ones encoded.

    Raises:
        ValueError: names the field, the feature and the features that it is for.
    """
    for field, allowed in [("scale", numeric), ("encode", categorical)]:
        for name in getattr(preprocessing, field):
            if name not in allowed:
                raise ValueError(
                    f"training.preprocessing.{field}: {name} is not one of {', '.join(allowed) or 'no features'}"
                )


def _check_row_feature(
    columns: Mapping[str, Column], target: str, where: str, feature: RowTransform | Categorical
) -> None:
    allowed = (
        ("integer", "number", "boolean") if isinstance(feature, RowTransform) else ("string", "integer", "boolean")
    )
    for name in feature.columns:
        if name == target:
            raise ValueError(f"{where}: {name} is the target; as a feature it would leak the label")
        if column_of(columns, where, name).type not in allowed:
            raise ValueError(
                f"{where}: {name} is a {columns[name].type}, but {feature.kind} takes {', '.join(allowed)}"
            )


def _check_window(
    columns: Mapping[str, Column], target: str, label_delay: timedelta, where: str, feature: WindowAggregate
) -> None:
    for name in feature.key:
        column_of(columns, where, name)
        if name == target:
            raise ValueError(f"{where}: the target {name} as key would leak the label")
    if feature.value is None:
        return
    if column_of(columns, where, feature.value).type not in ("integer", "number", "boolean"):
        raise ValueError(f"{where}: {feature.value} is a {columns[feature.value].type} and cannot be aggregated")
    if feature.value == target and not feature.delay:
        raise ValueError(
            f"{where}: an aggregate of the target {target} without delay would contain the row's own label; set delay"
        )
    if feature.value == target and feature.delay < label_delay:
        raise ValueError(
            f"{where}: aggregates of the target {target} need delay of at least the label_delay "
            f"{format_duration(label_delay)}, not {format_duration(feature.delay)}: the labels are not known earlier, "
            "so they would leak"
        )
    if feature.value == target and {"difference", "ratio", "zscore"} & set(feature.aggregates):
        raise ValueError(
            f"{where}: difference, ratio and zscore use the row's own value, which for the target is the label"
        )
