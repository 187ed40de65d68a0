"""Arrow schemas of the daily tables, derived from the spec."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Contract, Feed
from ml_assets.core.model_spec.source import ColumnType
from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, REGRESSION
from ml_assets.core.tables.columns import (
    PROVENANCE,
    QUARANTINE,
    REGISTRY_ENTRY,
    TRAINED_MODEL,
    Column,
    evaluation_columns,
)

if TYPE_CHECKING:
    import pandas as pd

TIMESTAMP = pa.timestamp("us", "UTC")
_ARROW: dict[str, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": TIMESTAMP,
    "date": pa.date32(),
    "list<string>": pa.list_(pa.string()),
}
SOURCE_FILE, SOURCE_ROW, UNREADABLE = "_source_file", "_source_row", "_unreadable_values"


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """Build the Arrow schema of a table from its columns."""
    return pa.schema([(column.name, _ARROW[column.type]) for column in columns])


PROVENANCE_SCHEMA = arrow_schema(PROVENANCE)


def arrow_type(column_type: ColumnType) -> pa.DataType:
    """Return the Arrow type of a column type of the specification: 64-bit numbers, text, microseconds UTC."""
    return _ARROW[column_type]


def row_schema(spec: Contract) -> pa.Schema:
    """Return the schema of validated_data: the columns of the contract, and a derived target."""
    derived = [(spec.derived.name, pa.bool_())] if isinstance(spec, Feed) and spec.derived else []
    return pa.schema([*_landed_schema(spec), *derived])


def _landed_schema(spec: Contract) -> pa.Schema:
    return pa.schema([(name, arrow_type(column.type)) for name, column in spec.columns.items()])


def raw_schema(spec: Contract) -> pa.Schema:
    """Return the schema of raw_data: the columns of the contract, and for each row its file, its position in the file
    from 0, and the values that could not be read, as JSON.
    """
    return pa.unify_schemas([_landed_schema(spec), PROVENANCE_SCHEMA])


LANDED_OBJECTS_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("digest", pa.string()),
        ("size", pa.int64()),
        ("rows", pa.int64()),
        ("fault", pa.string()),
        ("other_columns", pa.list_(pa.string())),
    ]
)
"""One landed object of a day. rows: null when the object could not be read at all. fault: the problem of the object, or
null. other_columns: the columns of the file that the contract does not name, sorted; null when it could not be read."""

QUARANTINE_SCHEMA = arrow_schema(QUARANTINE)
"""One entry for each row, object or day that is not published. scope: `row`, `file` (a whole object) or `day` (one that
was rejected or is missing).
"""

VIOLATIONS_SCHEMA = pa.schema(
    [
        ("column", pa.string()),
        ("rule", pa.string()),
        ("severity", pa.string()),
        ("rows", pa.int64()),
        ("share", pa.float64()),
        ("sample", pa.string()),
    ]
)
"""One row for each day and rule of a column that at least one row violates. column: `row_key` for the rules of the key,
`_line` for lines that are not rows. severity: error or warn. share: `rows` as a share of all landed rows, from 0 to 1.
sample: JSON of at most five of the rows in order of file and row, each with file, row and value (its first 100
characters; null when it is missing)."""


def features_schema(spec: ModelSpec) -> pa.Schema:
    """Return the schema of features: the identity columns that are known with the row, then the features as float64, or
    text for categories.
    """
    identity = spec.row_identity_columns()
    categorical = set(spec.categorical_features())
    fields = [(name, arrow_type(spec.columns[name].type)) for name in identity]
    fields += [
        (name, pa.string() if name in categorical else pa.float64())
        for name in spec.feature_names()
        if name not in identity
    ]
    return pa.schema(fields)


def to_pandas(table: pa.Table) -> "pd.DataFrame":
    """Convert a table to a pandas frame; integers and booleans with missing values become pandas' nullable types."""
    import pandas as pd

    mapper = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get
    frame = table.to_pandas(ignore_metadata=True, split_blocks=True)
    for field in table.schema:
        if table[field.name].null_count and mapper(field.type) is not None:
            frame[field.name] = table[field.name].to_pandas(types_mapper=mapper)
    return frame


def target_dtype(spec: ModelSpec) -> str:
    """Return the pandas type of a column of the target that may have missing values."""
    return {"boolean": "boolean", "integer": "Int64", "number": "float64"}.get(spec.columns[spec.target].type, "object")


PROFILE_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("kind", pa.string()),
        ("rows", pa.int64()),
        ("missing", pa.int64()),
        ("infinite", pa.int64()),
        ("distinct", pa.int64()),
        ("minimum", pa.float64()),
        ("maximum", pa.float64()),
        ("mean", pa.float64()),
        ("bins", pa.list_(pa.int32())),
        ("counts", pa.list_(pa.int64())),
        ("values", pa.list_(pa.string())),
        ("value_counts", pa.list_(pa.int64())),
        ("non_ascii", pa.int64()),
        ("broken", pa.int64()),
    ]
)
"""The profile of one column of a day, see `profiles.Profile`; the histogram is stored as `bins` and `counts`, frequent
texts as `values` and `value_counts`.
"""

SCORE_PROFILE_SCHEMA = pa.schema([("scored_day", pa.date32()), *PROFILE_SCHEMA])
"""The profile of a model's scores on the rows of one day of its training window or holdout."""

SINGLE_FEATURE_POWER_SCHEMA = pa.schema(
    [
        ("roc_auc", pa.float64()),
        ("average_precision", pa.float64()),
        ("positives", pa.int64()),
        ("negatives", pa.int64()),
    ]
)
_POWER_OF_TASK = {
    BINARY: SINGLE_FEATURE_POWER_SCHEMA,
    MULTICLASS: pa.schema([*SINGLE_FEATURE_POWER_SCHEMA, ("of_class", pa.string())]),
    REGRESSION: pa.schema([("rank_correlation", pa.float64()), ("compared_rows", pa.int64())]),
}


def single_feature_power_schema(spec: ModelSpec) -> pa.Schema:
    """Return the schema of the predictive power of a feature: for a binary target, for the class that it predicts best,
    or for an amount.
    """
    return _POWER_OF_TASK[spec.task]


def feature_profile_schema(spec: ModelSpec) -> pa.Schema:
    """Return the schema of the profile of one feature of a day with its predictive power, see
    `target_leakage.measure_single_features`. The power is null if labels do not come with the rows.
    """
    return pa.schema([*PROFILE_SCHEMA, *single_feature_power_schema(spec)])


FEATURE_METRICS_SCHEMA = pa.schema([("metric", pa.string()), ("value", pa.float64())])
"""Named metrics of the features of a day, see `feature_metrics.measure_features`."""


TRAINED_MODEL_SCHEMA = arrow_schema(TRAINED_MODEL)
"""One row for each day: the model of that day, or the reason why there is none (`problem`). `artifacts` is the folder
of its files, relative to the lake.
"""

EVALUATION_METRICS_SCHEMA = pa.schema(
    [
        ("metric", pa.string()),
        ("slice_column", pa.string()),
        ("slice_value", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("rows", pa.int64()),
        ("positives", pa.int64()),
    ]
)
"""Metrics of the model of a day on its holdout, with bootstrap intervals; slice_column is empty for metrics of all
rows, and `positives` is null unless the task is binary."""

CHAMPION_COMPARISON_SCHEMA = pa.schema(
    [
        ("metric", pa.string()),
        ("champion_version", pa.int64()),
        ("champion_digest", pa.string()),
        ("champion_day", pa.date32()),
        ("value", pa.float64()),
        ("champion_value", pa.float64()),
        ("difference", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("rows", pa.int64()),
        ("note", pa.string()),
        ("cannot_compare", pa.bool_()),
    ]
)
"""The model of a day against the champion of that day on the same holdout rows, by metric; a difference above 0 is
better. `note` gives the reason if nothing was compared; `cannot_compare` is true if somebody must act before a
comparison is possible."""

REGISTRY_ENTRY_SCHEMA = arrow_schema(REGISTRY_ENTRY)
"""One row for each day: the MLflow version of the model of that day, and whether it passes its gates."""


def evaluation_schema(spec: ModelSpec) -> pa.Schema:
    """Return the schema of the scored holdout rows: the day of the row's event, identity columns, and the predictions
    of the task.
    """
    identity = [(name, arrow_type(spec.columns[name].type)) for name in spec.identity_columns()]
    event_day, *predicted = arrow_schema(evaluation_columns(spec.outputs))
    return pa.schema([event_day, *identity, *predicted])
