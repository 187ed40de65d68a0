"""Which features fit the columns of a model: types, names, and no way for the label to leak."""

from typing import TYPE_CHECKING

from ml_assets.core.spec.base import RESERVED, repeated
from ml_assets.core.spec.durations import format_duration
from ml_assets.core.spec.features import Categorical, RowTransform, WindowAggregate

if TYPE_CHECKING:
    from ml_assets.core.spec.model import ModelSpec


def check_features(spec: "ModelSpec") -> None:
    """See that the features fit the columns of their model and do not leak its target.

    Raises:
        ValueError: when they do not; names the feature.
    """
    if twice := repeated(name.lower() for name in spec.feature_names()):
        raise ValueError(f"features: {', '.join(twice)} is made more than once (tables do not tell upper from lower case)")
    columns = {name.lower() for name in spec.columns}
    for position, feature in enumerate(spec.features):
        where = f"features[{position}] ({feature.kind})"
        if isinstance(feature, RowTransform | Categorical):
            _check_row_feature(spec, where, feature)
        elif isinstance(feature, WindowAggregate):
            _check_window(spec, where, feature)
        own = feature.columns if isinstance(feature, RowTransform | Categorical) and feature.kind in ("column", "categorical") else []
        for name in feature.names():
            if name.lower() in RESERVED or (name.lower() in columns and name not in own):
                raise ValueError(
                    f"{where}: it makes {name}, which is the name of a column (in upper or lower case); "
                    "rename the column (its name in the files is `source`)"
                )


def _check_row_feature(spec: "ModelSpec", where: str, feature: RowTransform | Categorical) -> None:
    accepted = ("integer", "number", "boolean") if isinstance(feature, RowTransform) else ("string", "integer", "boolean")
    for name in feature.columns:
        if name == spec.target:
            raise ValueError(f"{where}: {name} is the target; as a feature it would leak the label")
        if spec.column(where, name).type not in accepted:
            raise ValueError(f"{where}: {name} is a {spec.columns[name].type}, but {feature.kind} takes {', '.join(accepted)}")


def _check_window(spec: "ModelSpec", where: str, feature: WindowAggregate) -> None:
    for name in feature.key:
        spec.column(where, name)
        if name == spec.target:
            raise ValueError(f"{where}: the target {name} as key would leak the label")
    if feature.value is None:
        return
    if spec.column(where, feature.value).type not in ("integer", "number", "boolean"):
        raise ValueError(f"{where}: {feature.value} is a {spec.columns[feature.value].type} and cannot be aggregated")
    if feature.value == spec.target and not feature.delay:
        raise ValueError(f"{where}: an aggregate of the target {spec.target} without delay would contain the row's own label; give a delay")
    if feature.value == spec.target and feature.delay < spec.label_delay:
        raise ValueError(
            f"{where}: aggregates of the target {spec.target} need delay of at least the label_delay {format_duration(spec.label_delay)}, "
            f"not {format_duration(feature.delay)}: the labels are not known earlier, so they would leak"
        )
    if feature.value == spec.target and {"difference", "ratio", "zscore"} & set(feature.aggregates):
        raise ValueError(f"{where}: difference, ratio and zscore use the row's own value, which for the target is the label")
