"""docs/reference/tables.md: every table of a model's folder in the lake, with its columns."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from ml_assets.cli.repository.column_meanings import MEANINGS
from ml_assets.core.model_spec.types.task import Outputs
from ml_assets.core.tables import columns as described
from ml_assets.core.tables import release_schemas, schemas
from ml_assets.core.tables.columns import Column

INTRODUCTION = """\
# Tables

Every asset is a Delta table at `<lake>/<model>/<table>`. Each row has the column `day`, the partition; it is left out \
below. Any Delta Lake reader can read the tables ([SQL](../how-to/queries.md)).

Generated from the schemas in `ml_assets/core/tables` by `make docs`: do not edit.
"""
_CONTRACT = Column("...", "", "The columns of the contract, `columns` in the specification")
_IDENTITY = Column("...", "", "The row key, the time of the event, the entity, the slices and the target")
_PREDICTED = [
    *described.predicted_columns(Outputs()),
    Column("prediction", "number", "Regression, in place of score and decision: the predicted value"),
    Column("prediction_q05", "number", "Regression with quantiles: the 0.05 quantile, and so on for each of them"),
    Column("predicted_class", "string", "Multiclass, in place of score and decision: the likeliest class"),
    Column("probability_<class>", "number", "Multiclass: the probability of each class, from 0 to 1"),
]
_TYPES = {
    pa.int64(): "integer",
    pa.float64(): "number",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    schemas.TIMESTAMP: "timestamp",
}
"""Names of types as in the specification; other types keep Arrow's names."""


def tables_page() -> str:
    """Write the page as Markdown."""
    return "\n".join([INTRODUCTION, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    yield "## Data\n"
    yield from _table("raw_data", "Rows as delivered.", [_CONTRACT, *described.PROVENANCE])
    yield from _table(
        "landed_objects",
        "The files of a day.",
        _columns("landed_objects", schemas.LANDED_OBJECTS_SCHEMA),
    )
    yield from _table("validated_data", "Rows that meet the contract.", [_CONTRACT])
    yield from _table("quarantined_data", "Rows, files and days that are not published, with the reasons.",
                      described.QUARANTINE)  # fmt: skip
    yield from _table(
        "violations",
        "One row for each rule that at least one row of the day breaks.",
        _columns("violations", schemas.VIOLATIONS_SCHEMA),
    )
    yield from _table(
        "column_profiles",
        "The profile of each column of a day, from which the checks are computed.",
        _columns("column_profiles", schemas.PROFILE_SCHEMA),
    )
    yield (
        "Labels in files of their own have the same tables by day of delivery: `raw_labels`, `landed_label_objects`, "
        "`validated_labels`, `quarantined_labels`, `label_violations`.\n"
    )
    yield "## Features\n"
    yield from _table(
        "features", "The features of each row.", [_IDENTITY, Column("...", "number or string", "One column a feature")]
    )
    yield from _table(
        "feature_profiles",
        "The profile of each feature, as `column_profiles`, with how well it predicts the target alone.",
        [
            Column("...", "", "The columns of `column_profiles`"),
            *_columns("feature_profiles", schemas.SINGLE_FEATURE_POWER_SCHEMA),
        ],
    )
    yield from _table(
        "feature_metrics", "Named figures of the day.", _columns("feature_metrics", schemas.FEATURE_METRICS_SCHEMA)
    )
    yield "## Models\n"
    yield from _table("parameter_search", "Only with `training.search`.", described.PARAMETER_SEARCH)
    yield from _table("trained_model", "The model of each day, or why there is none.", described.TRAINED_MODEL)
    yield from _table("evaluation", "The scored rows of the holdout.", [_IDENTITY, *described.EVENT_DAY, *_PREDICTED])
    yield from _table(
        "evaluation_metrics",
        "Metrics of the holdout with 95 % bootstrap intervals.",
        _columns("evaluation_metrics", schemas.EVALUATION_METRICS_SCHEMA),
    )
    yield from _table(
        "champion_comparison",
        "The model against the champion on the same rows.",
        _columns("champion_comparison", schemas.CHAMPION_COMPARISON_SCHEMA),
    )
    yield from _table(
        "score_profiles",
        "The profile of the scores that the model gives the rows of another day.",
        [Column("scored_day", "date", "The day of the rows"), Column("...", "", "The columns of `column_profiles`")],
    )
    yield from _table("model_registry_entry", "The MLflow version of each day.", described.REGISTRY_ENTRY)
    yield "## Releases\n"
    yield from _table("deployment", "The decision of each day.", described.DEPLOYMENT)
    yield from _table(
        "canary_comparison",
        "The figures behind the decision ([what they mean](../explanation/releases.md#the-figures-of-a-comparison)).",
        _columns("canary_comparison", release_schemas.CANARY_COMPARISON_SCHEMA),
    )
    yield from _table(
        "predictions", "The scored rows of the day.", [_IDENTITY, *_PREDICTED, *described.scored_columns(Outputs())[2:]]
    )
    yield "## Production\n"
    yield from _table(
        "prediction_quality",
        "Only with `deployment.quality`: the estimated metrics of the predictions of the day, and the realised ones of "
        "the newest earlier day whose labels are known ([how to read them](../how-to/monitoring.md)).",
        described.PREDICTION_QUALITY,
    )
    yield from _table(
        "stage_costs",
        "The cost of each day that a stage made; rows are appended and kept for two years, and the table has no "
        "partitions. `ml-assets plan` estimates a backfill from it.",
        described.STAGE_COST[1:],
    )
    yield from _table(
        "served_requests",
        "Only with `deployment.capture`: the sampled requests of the scoring service by the day of their event "
        "([capture](../how-to/monitoring.md#served-requests)). Hashed columns are text.",
        [
            *described.SERVED_REQUEST,
            Column("...", "", "The row key, the time of the event, the entity and the slices"),
            Column("...", "number or string", "One column for each feature, as the model saw it"),
            Column("...", "", "The prediction of the model, as in `predictions`"),
            *described.SCORED_BY,
            *described.HISTORY,
        ],
    )
    yield "`release_ledger` has a page of its own: [Release ledger](releases.md).\n"


def _table(name: str, purpose: str, columns: Iterable[Column]) -> Iterator[str]:
    yield f"### {name}\n\n{purpose}\n"
    yield "| column | type | meaning |\n|---|---|---|"
    for column in columns:
        shown = column.name if column.name == "..." else f"`{column.name}`"
        yield f"| {shown} | {column.type} | {column.description} |"
    yield ""


def _columns(table: str, schema: pa.Schema) -> list[Column]:
    return [
        Column(field.name, _TYPES.get(field.type, str(field.type)), MEANINGS[table][field.name]) for field in schema
    ]
