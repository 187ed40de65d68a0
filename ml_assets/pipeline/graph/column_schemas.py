"""Column schemas and column lineage of the daily tables, for the asset catalog."""

from collections.abc import Iterable

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import (
    Calendar,
    Categorical,
    CustomFeatures,
    Feature,
    RowTransform,
    WindowAggregate,
)
from ml_assets.core.model_spec.file_feed import Contract

_PROVENANCE = [
    dg.TableColumn("_source_file", "string", description="Landed file that the row was read from"),
    dg.TableColumn(
        "_source_row",
        "integer",
        description="Position of the row in that file, from 0; lines that are no rows come after all others",
    ),
    dg.TableColumn(
        "_unreadable_values", "string", description="Text of the values that could not be read, as JSON by column"
    ),
]
_QUARANTINE = [
    dg.TableColumn(
        "scope",
        "string",
        description="row, file (a whole landed object) or day (why the day was rejected or is missing)",
    ),
    dg.TableColumn("reasons", "list<string>", description="Every rule that was broken, as `column: rule`"),
    dg.TableColumn("source_file", "string", description="Landed file"),
    dg.TableColumn(
        "source_row",
        "integer",
        description="Position of the row in that file, from 0; lines that are no rows come after all others",
    ),
    dg.TableColumn("row", "string", description="The row as JSON"),
    dg.TableColumn(
        "unreadable_values", "string", description="Text of the values that could not be read, as JSON by column"
    ),
]

_MODEL = [
    dg.TableColumn("model_digest", "string", description="SHA-256 of the model's files; empty when there is no model"),
    dg.TableColumn("problem", "string", description="Why there is no model"),
    dg.TableColumn("artifacts", "string", description="Folder of the model's files, relative to the lake"),
    dg.TableColumn("rounds", "integer", description="Rounds of boosting"),
    dg.TableColumn("threshold", "number", description="Score from which a row is decided positive"),
    dg.TableColumn("rows", "integer", description="Rows that the model was trained on"),
    dg.TableColumn("positives", "integer", description="Positive rows among them"),
    dg.TableColumn("fit_first", "date", description="First day of the training window"),
    dg.TableColumn("validation_first", "date", description="First day of its early-stopping part"),
    dg.TableColumn("validation_last", "date", description="Last day of the training window"),
]
_ENTRY = [
    dg.TableColumn("model_digest", "string", description="SHA-256 of the model's files"),
    dg.TableColumn("version", "string", description="MLflow version"),
    dg.TableColumn("mlflow_run_id", "string", description="MLflow run that the version came from"),
    dg.TableColumn("gates_passed", "boolean", description="Whether every gate passed"),
]


def model_columns() -> list[dg.TableColumn]:
    """The columns of trained_model."""
    return list(_MODEL)


def entry_columns() -> list[dg.TableColumn]:
    """The columns of model_registry_entry."""
    return list(_ENTRY)


def source_columns(spec: Contract | ModelSpec, names: Iterable[str]) -> list[dg.TableColumn]:
    """Some columns of the contract, as they are but without rules."""
    return [
        dg.TableColumn(name, spec.columns[name].type, description=spec.columns[name].description or None)
        for name in names
    ]


def evaluation_columns(spec: ModelSpec) -> list[dg.TableColumn]:
    """The columns of evaluation: the scored rows of the holdout."""
    return [
        dg.TableColumn("event_day", "date", description="Day of the row's event"),
        *source_columns(spec, spec.identity_columns()),
        dg.TableColumn("score", "number", description="Score from 0 to 1"),
        dg.TableColumn("decision", "boolean", description="Whether the score reaches the model's threshold"),
    ]


def contract_columns(spec: Contract) -> list[dg.TableColumn]:
    """The columns of the contract with their rules."""
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
    ]


def raw_columns(spec: Contract) -> list[dg.TableColumn]:
    """The columns of the contract without rules, and the provenance of each row."""
    return [*source_columns(spec, spec.columns), *_PROVENANCE]


def quarantine_columns() -> list[dg.TableColumn]:
    """The columns of quarantined_data."""
    return list(_QUARANTINE)


def feature_columns(spec: ModelSpec) -> list[dg.TableColumn]:
    """Identity columns and features."""
    identity = spec.row_identity_columns()
    categorical = spec.categorical_features()
    columns = source_columns(spec, identity)
    for feature in spec.features:
        kind = f"{feature.kind} feature"
        columns += [
            dg.TableColumn(name, "string" if name in categorical else "number", description=kind)
            for name in feature.names()
            if name not in identity
        ]
    return columns


def same_columns(spec: Contract, upstream: dg.AssetKey) -> dg.TableColumnLineage:
    """Lineage of a table whose columns are those of the upstream table."""
    return dg.TableColumnLineage({name: [dg.TableColumnDep(upstream, name)] for name in spec.columns})


def feature_lineage(spec: ModelSpec, upstream: dg.AssetKey) -> dg.TableColumnLineage:
    """Which validated columns each identity column and each feature is made from."""
    made_from = {name: [name] for name in spec.row_identity_columns()}
    for feature in spec.features:
        for name, sources in _sources(spec, feature):
            made_from.setdefault(name, sources)
    labels = {spec.target: dg.AssetKey([spec.name, "validated_labels"])} if spec.labels else {}
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(labels.get(source, upstream), source) for source in sources]
            for name, sources in made_from.items()
        }
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
