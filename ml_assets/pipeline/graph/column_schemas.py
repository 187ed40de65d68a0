"""Column schemas and column lineage of the daily tables, for the asset catalog."""

from collections.abc import Iterable

import dagster as dg

from ml_assets.core.features.descriptions import describe_features
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import (
    Calendar,
    Categorical,
    CustomFeatures,
    Feature,
    RowTransform,
    WindowAggregate,
)
from ml_assets.core.model_spec.file_feed import Contract, Feed
from ml_assets.core.model_spec.types.task import DECISION
from ml_assets.core.tables import columns
from ml_assets.core.tables.columns import PROVENANCE, Column
from ml_assets.pipeline.asset_names import FEATURES, LABELS, asset_key


def table_columns(described: Iterable[Column]) -> list[dg.TableColumn]:
    """Describe the columns of a table."""
    return [dg.TableColumn(column.name, column.type, description=column.description) for column in described]


def source_columns(spec: Contract | ModelSpec, names: Iterable[str]) -> list[dg.TableColumn]:
    """Describe some columns of the contract, without rules."""
    return [
        dg.TableColumn(name, spec.columns[name].type, description=spec.columns[name].description or None)
        for name in names
    ]


def scored_holdout_columns(spec: ModelSpec) -> list[dg.TableColumn]:
    """Describe the columns of evaluation: the scored rows of the holdout."""
    event_day, *scored = table_columns(columns.evaluation_columns(spec.outputs))
    return [event_day, *source_columns(spec, spec.identity_columns()), *scored]


def contract_columns(spec: Contract) -> list[dg.TableColumn]:
    """Describe the columns of the contract with their rules, and a derived target."""
    target = spec.derived if isinstance(spec, Feed) else None
    derived = [dg.TableColumn(target.name, "boolean", description=f"Derived: {target}")] if target else []
    return [
        dg.TableColumn(
            name,
            column.type,
            description=column.description or None,
            constraints=dg.TableColumnConstraints(
                nullable=column.nullable, unique=spec.row_key == [name], other=_rules(column)
            ),
        )
        for name, column in spec.columns.items()
    ] + derived


def raw_columns(spec: Contract) -> list[dg.TableColumn]:
    """Describe the columns of the contract without rules, and those of the provenance of each row."""
    return [*source_columns(spec, spec.columns), *table_columns(PROVENANCE)]


def feature_columns(spec: ModelSpec) -> list[dg.TableColumn]:
    """Describe the columns of features: identity columns, then the features."""
    identity = spec.row_identity_columns()
    categorical = spec.categorical_features()
    described = source_columns(spec, identity)
    described += [
        dg.TableColumn(name, "string" if name in categorical else "number", description=text)
        for name, text in describe_features(spec).items()
        if name not in identity
    ]
    return described


def same_columns(spec: Contract, upstream: dg.AssetKey) -> dg.TableColumnLineage:
    """Return the lineage of a table whose columns are those of the upstream table."""
    return dg.TableColumnLineage({name: [dg.TableColumnDep(upstream, name)] for name in spec.columns})


def feature_lineage(spec: ModelSpec, upstream: dg.AssetKey) -> dg.TableColumnLineage:
    """Return the validated columns that each identity column and each feature is made from."""
    source_columns_by_name = {name: [name] for name in spec.row_identity_columns()}
    for feature in spec.features:
        for name, sources in _sources(spec, feature):
            source_columns_by_name.setdefault(name, sources)
    labels = {spec.target: asset_key(spec, LABELS)} if spec.labels else {}
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(labels.get(source, upstream), source) for source in sources]
            for name, sources in source_columns_by_name.items()
        }
    )


def scored_lineage(spec: ModelSpec, identity: Iterable[str]) -> dg.TableColumnLineage:
    """Return the lineage of scored rows: predictions come from all features, identity columns from the same columns of
    features, and a target with label files of its own from the labels.

    Args:
        spec: the model.
        identity: names of the identity columns of the rows.
    """
    features = asset_key(spec, FEATURES)
    labels = {spec.target: asset_key(spec, LABELS)} if spec.labels else {}
    sources = [dg.TableColumnDep(features, name) for name in spec.feature_names()]
    names = [name for name in spec.outputs.columns if name != DECISION]
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(labels.get(name, features), name)] for name in identity}
        | dict.fromkeys(names, sources)
    )


def _sources(spec: ModelSpec, feature: Feature) -> list[tuple[str, list[str]]]:
    if isinstance(feature, RowTransform | Categorical):
        return [(name, [column]) for name, column in zip(feature.names(), feature.columns, strict=True)]
    if isinstance(feature, Calendar):
        return [(name, [spec.event_time]) for name in feature.names()]
    if isinstance(feature, WindowAggregate):
        value = [feature.value] if feature.value else []
        return [(name, list(dict.fromkeys([*feature.key, *value, spec.event_time]))) for name in feature.names()]
    assert isinstance(feature, CustomFeatures)
    return [(name, list(spec.columns)) for name in feature.names()]


def _rules(column) -> list[str]:
    rules = [
        f"{name} {value:g}"
        for name, value in [("minimum", column.minimum), ("maximum", column.maximum)]
        if value is not None
    ]
    if column.allowed is not None:
        rules.append(f"one of {', '.join(str(value) for value in column.allowed)}")
    if column.pattern is not None:
        rules.append(f"matches {column.pattern}")
    return rules
