"""Columns of tables that the asset catalog shows: name, type and description. The Arrow schemas are built from them."""

from typing import NamedTuple

from ml_assets.core.model_spec.types.task import DECISION, PREDICTED_CLASS, PREDICTION, SCORE, SHADOW, Outputs

_SOURCE_ROW = "Position of the row in that file, from 0; lines that are not rows come after all others"
_UNREADABLE = "Text of the values that could not be read, as JSON by column"


class Column(NamedTuple):
    """A column of a table. type: string, integer, number, boolean, date or list<string>."""

    name: str
    type: str
    description: str


PROVENANCE = (
    Column("_source_file", "string", "Landed file that the row was read from"),
    Column("_source_row", "integer", _SOURCE_ROW),
    Column("_unreadable_values", "string", _UNREADABLE),
)
QUARANTINE = (
    Column("scope", "string", "row, file (a whole landed object) or day (one that was rejected or is missing)"),
    Column("reasons", "list<string>", "Every rule that was violated, as `column: rule`"),
    Column("source_file", "string", "Landed file"),
    Column("source_row", "integer", _SOURCE_ROW),
    Column("row", "string", "The row as JSON"),
    Column("unreadable_values", "string", _UNREADABLE),
)
PARAMETER_SEARCH = (
    Column("problem", "string", "Why there are no parameters"),
    Column("searched_on", "date", "Day as of which the parameters were searched"),
    Column("study", "string", "Name of the search, in the lake and in MLflow"),
    Column("parameters", "string", "The best parameters, as JSON by name"),
    Column("trial", "integer", "Number of the best trial; trial 0 has the parameters of the specification"),
    Column("metric", "string", "Metric that was optimized"),
    Column("value", "number", "Mean of the metric over the folds in the best trial"),
    Column("stated_value", "number", "Mean of the metric over the folds with the parameters of the specification"),
    Column("trials", "integer", "Number of trials"),
    Column("pruned", "integer", "Number of trials that were pruned before the last fold"),
    Column("stopped_by", "string", "Limit that ended the search: trials or minutes"),
    Column("seconds", "number", "Total seconds of all trials"),
)
TRAINED_MODEL = (
    Column("model_digest", "string", "SHA-256 of the model's files; empty when there is no model"),
    Column("problem", "string", "Why there is no model"),
    Column("due", "string", "Why a model was due on the day, or why not; empty if one is due every day"),
    Column("artifacts", "string", "Folder of the model's files, relative to the lake"),
    Column("rounds", "integer", "Rounds of boosting"),
    Column("threshold", "number", "Lowest score of a positive decision; empty unless the target is binary"),
    Column("rows", "integer", "Rows that the model was trained on"),
    Column("positives", "integer", "Positive rows among them; empty unless the target is binary"),
    Column("fit_first", "date", "First day of the training window"),
    Column("validation_first", "date", "First day of its early-stopping part"),
    Column("validation_last", "date", "Last day of the training window"),
)
EVENT_DAY = (Column("event_day", "date", "Day of the row's event"),)
REGISTRY_ENTRY = (
    Column("model_digest", "string", "SHA-256 of the model's files"),
    Column("version", "string", "MLflow version"),
    Column("mlflow_run_id", "string", "MLflow run that the version came from"),
    Column("gates_passed", "boolean", "Whether every gate passed"),
)
DEPLOYMENT = (
    Column("outcome", "string", "start, advance, promote, rollback, replace, hold or none"),
    Column("reason", "string", "Why, in one sentence"),
    Column("champion_version", "integer", "MLflow version that is live for all other entities, after the decision"),
    Column("challenger_version", "integer", "MLflow version on canary, after the decision"),
    Column("percent", "integer", "Share of the entities of the challenger after the decision; 0 in shadow"),
    Column("paused", "boolean", "Whether automatic decisions are paused"),
    Column("step_since", "date", "First day of the current step"),
    Column("canary_since", "date", "First day of the canary"),
    Column("release", "integer", "Number of the last release in the ledger"),
    Column("step_days", "integer", "Days of the step with known labels"),
    Column("step_rows", "integer", "Labelled rows of the challenger's entities on these days"),
    Column("positives", "integer", "Positives among the labelled rows since the canary began"),
    Column("labels_through", "date", "Last day whose labels were known"),
    Column("metrics", "string", "Figures behind the decision, as JSON"),
)
_MEANINGS = {
    SCORE: "Score from 0 to 1",
    DECISION: "Whether the score reaches the threshold of its model",
    PREDICTION: "Predicted value; with quantiles, the quantile nearest to the median",
    PREDICTED_CLASS: "Class with the highest probability",
}
SCORED_BY = (
    Column("model_version", "integer", "MLflow version of the model that scored the row"),
    Column("side", "string", "champion or challenger"),
)
EXPLAINED = (
    Column("reasons", "string", "For the highest scores of the day, the features that contribute most, as JSON"),
)
STAGE_COST = (
    Column("day", "date", "Day that the stage computed"),
    Column("stage", "string", "Name of the stage"),
    Column("run_id", "string", "Dagster run that computed it"),
    Column("measured_at", "timestamp", "Time at which the step ended"),
    Column("days_in_step", "integer", "Days that the step computed, which share its figures by their times"),
    Column("rows", "integer", "Rows of the day, in all tables of the stage"),
    Column("bytes", "integer", "Bytes of the files of the day, in all tables of the stage"),
    Column("seconds", "number", "Seconds to compute the day, plus its share of the rest of the step"),
    Column("cpu_seconds", "number", "Core seconds that the step used for the day, including its local processes"),
    Column("start_seconds", "number", "Seconds until its pod had imported the code; 0 outside of Kubernetes"),
    Column(
        "queue_seconds",
        "number",
        "Seconds that the run waited in the queue, the same for each of its stages and days; 0 outside of Kubernetes",
    ),
    Column(
        "reserved_cpu_seconds",
        "number",
        "Core seconds that its pods requested, including their start; 0 outside of Kubernetes",
    ),
    Column("gpu_seconds", "number", "GPU seconds of the step, including the start of its pods"),
    Column("memory_peak", "integer", "Peak memory of a process of the step, in bytes"),
    Column("pods", "integer", "Pods of the step, including the workers of a Dask cluster; 0 outside of Kubernetes"),
)


def predicted_columns(outputs: Outputs) -> tuple[Column, ...]:
    """Describe the columns that a model adds to a scored row."""
    return tuple(
        Column(name, kind, _MEANINGS.get(name) or _meaning(outputs, name)) for name, kind in outputs.columns.items()
    )


def _meaning(outputs: Outputs, name: str) -> str:
    position = outputs.values.index(name)
    if outputs.quantiles:
        return f"The {outputs.quantiles[position]:g} quantile of the target"
    return f"Probability of the class {outputs.classes[position]}, from 0 to 1"


def evaluation_columns(outputs: Outputs) -> tuple[Column, ...]:
    """Describe the columns that the evaluation adds to a row of the holdout."""
    return *EVENT_DAY, *predicted_columns(outputs)


def scored_columns(outputs: Outputs) -> tuple[Column, ...]:
    """Describe the columns that predictions add to a row."""
    shadow = f"{SHADOW}{outputs.main}"
    about = f"{outputs.main} of the challenger while it is in shadow, without effect"
    shown = Column(shadow, outputs.columns[outputs.main], about[0].upper() + about[1:])
    return *predicted_columns(outputs), *SCORED_BY, *EXPLAINED, shown


PREDICTION_QUALITY = (
    Column("predicted_on", "date", "Day of the predictions that are measured"),
    Column(
        "kind",
        "string",
        "estimated (on the day of the predictions, without labels) or realised (once their labels are known)",
    ),
    Column("side", "string", "champion or challenger"),
    Column("model_version", "integer", "MLflow version that gave the scores"),
    Column("metric", "string", "Name of the metric"),
    Column("value", "number", "Value of the metric; empty if it is undefined or was not estimated"),
    Column("low", "number", "Lower end of the interval of the metric"),
    Column("high", "number", "Upper end of the interval of the metric"),
    Column("holdout_value", "number", "The same metric of the same model on its holdout"),
    Column("rows", "integer", "Number of scored rows; for realised metrics, of labelled rows"),
    Column("positives", "number", "Positives among these rows, estimated or realised; only for task binary"),
    Column("note", "string", "Why there is no value"),
)
SERVED_REQUEST = (
    Column("request_id", "string", "The header X-Request-ID of the request, or an ID assigned by the service"),
    Column("served_at", "timestamp", "Time of the answer"),
    Column("not_kept", "string", "Columns that the service did not keep at the time, separated by commas"),
    Column("segment", "string", "File below `served_segments` that the row came from"),
)
HISTORY = (Column("features_through", "date", "Newest day of history that the features saw"),)


def served_columns(outputs: Outputs) -> tuple[Column, ...]:
    """Describe the columns of the answer to a served request."""
    return *predicted_columns(outputs), *SCORED_BY, *HISTORY
