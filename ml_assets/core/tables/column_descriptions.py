"""Descriptions of the columns of tables, for the asset catalog; types are those of the Arrow schemas."""

_SOURCE_ROW = "Position of the row in that file, from 0; lines that are no rows come after all others"
_UNREADABLE = "Text of the values that could not be read, as JSON by column"

PROVENANCE = {
    "_source_file": "Landed file that the row was read from",
    "_source_row": _SOURCE_ROW,
    "_unreadable_values": _UNREADABLE,
}
QUARANTINE = {
    "scope": "row, file (a whole landed object) or day (why the day was rejected or is missing)",
    "reasons": "Every rule that was violated, as `column: rule`",
    "source_file": "Landed file",
    "source_row": _SOURCE_ROW,
    "row": "The row as JSON",
    "unreadable_values": _UNREADABLE,
}
PARAMETER_SEARCH = {
    "problem": "Why there are no parameters",
    "searched_on": "Day as of which the parameters were searched",
    "study": "Name of the search, in the lake and in MLflow",
    "parameters": "The best parameters, as JSON by name",
    "trial": "Number of the best trial; 0 is of the parameters that the specification states",
    "metric": "Metric that was optimised",
    "value": "Mean of the metric over the folds, of the best trial",
    "stated_value": "Mean of the metric over the folds, of the parameters that the specification states",
    "trials": "Number of trials",
    "pruned": "Trials among them that ended before the last fold",
    "stopped_by": "What ended the search: trials or minutes",
    "seconds": "Seconds that the trials took together",
}
TRAINED_MODEL = {
    "model_digest": "SHA-256 of the model's files; empty when there is no model",
    "problem": "Why there is no model",
    "artifacts": "Folder of the model's files, relative to the lake",
    "rounds": "Rounds of boosting",
    "threshold": "Score from which a row is decided positive",
    "rows": "Rows that the model was trained on",
    "positives": "Positive rows among them",
    "fit_first": "First day of the training window",
    "validation_first": "First day of its early-stopping part",
    "validation_last": "Last day of the training window",
}
EVALUATION = {
    "event_day": "Day of the row's event",
    "score": "Score from 0 to 1",
    "decision": "Whether the score reaches the model's threshold",
}
REGISTRY_ENTRY = {
    "model_digest": "SHA-256 of the model's files",
    "version": "MLflow version",
    "mlflow_run_id": "MLflow run that the version came from",
    "gates_passed": "Whether every gate passed",
}
DEPLOYMENT = {
    "outcome": "start, advance, promote, rollback, replace, hold or none",
    "reason": "Why, in one sentence",
    "champion_version": "MLflow version that is live for all other entities, after the decision",
    "challenger_version": "MLflow version on canary, after the decision",
    "percent": "Share of the entities that the challenger is live for, after the decision",
    "paused": "Whether automatic decisions are paused",
    "step_since": "First day of the present step",
    "canary_since": "First day of the canary",
    "release": "Number of the last release in the ledger",
    "step_days": "Days of the step with known labels",
    "step_rows": "Labelled rows of the challenger's entities on these days",
    "positives": "Positives among the labelled rows since the canary began",
    "labels_through": "Last day whose labels were known",
    "metrics": "Figures behind the decision, as JSON",
}
PREDICTIONS = {
    "score": "Score from 0 to 1",
    "decision": "Whether the score reaches the threshold of the model that gave it",
    "model_version": "MLflow version of that model",
    "side": "champion or challenger",
    "reasons": "For the highest scores of the day, the features that contribute most, as JSON",
}
