"""Meanings of the columns of tables that are not assets, for docs/reference/tables.md."""

_INTERVAL = {"low": "Lower end of its interval", "high": "Upper end of its interval"}
_COMPARED = {
    "value": "The figure of the model",
    "champion_value": "The figure of the champion",
    "difference": "How much better the model is; below 0 it is worse",
    "low": "Lower end of the interval of the difference",
    "high": "Upper end of the interval of the difference",
    "rows": "Rows that were compared",
}
_BINARY_ONLY = "; empty unless the target is binary"

MEANINGS: dict[str, dict[str, str]] = {
    "landed_objects": {
        "key": "Path of the file under the landing",
        "digest": "Digest of its content",
        "size": "Its bytes",
        "rows": "Rows that were read; empty if the file could not be read",
        "fault": "What is wrong with the file",
        "other_columns": "Its columns that the contract does not name",
    },
    "violations": {
        "column": "Column of the rule; `row_key` for repeated keys, `_line` for lines that are not rows",
        "rule": "The rule that is broken",
        "severity": "`error` or `warn`",
        "rows": "Rows that break it",
        "share": "These rows as a share of all landed rows, from 0 to 1",
        "sample": "Up to five of them as JSON",
    },
    "column_profiles": {
        "name": "Name of the column",
        "kind": "`number` (booleans too), `text` or `time`",
        "rows": "Rows of the day",
        "missing": "Rows without a value",
        "infinite": "Rows with an infinite value",
        "distinct": "Number of different values",
        "minimum": "Smallest value; of a time, in seconds of the local day",
        "maximum": "Largest value, likewise",
        "mean": "Mean of the finite values, likewise",
        "bins": "Histogram bins that have rows: of values, of text lengths, or of five minutes of the day",
        "counts": "Rows in each of these bins",
        "values": "The 100 most frequent texts, the most frequent first",
        "value_counts": "Rows with each of these texts",
        "non_ascii": "Texts with characters beyond ASCII",
        "broken": "Texts with traces of a wrong encoding",
    },
    "feature_profiles": {
        "roc_auc": "ROC AUC of the feature alone",
        "average_precision": "Average precision of the feature alone",
        "positives": "Positive rows that have the feature",
        "negatives": "Negative rows that have it",
    },
    "feature_metrics": {"metric": "Name of the figure (`metrics` in the specification)", "value": "Its value"},
    "evaluation_metrics": {
        "metric": "Name of the metric",
        "slice_column": "Column of the slice; empty for all rows together",
        "slice_value": "Value of that column",
        "value": "The metric",
        **_INTERVAL,
        "rows": "Rows that were measured",
        "positives": f"Positive rows among them{_BINARY_ONLY}",
    },
    "champion_comparison": {
        "metric": "Name of the metric",
        "champion_version": "MLflow version of the champion",
        "champion_digest": "Digest of the champion",
        "champion_day": "Day of the champion's model",
        **_COMPARED,
        "note": "Why nothing was compared",
        "cannot_compare": "Whether somebody has to act before they can be compared",
    },
    "canary_comparison": {
        "scope": "`paired` (both models on the same rows), `champion_side` or `challenger_side`",
        "metric": "Name of the figure",
        **_COMPARED,
        "value": "The figure of the challenger",
        "difference": "Improvement of a metric; increase of a share, score or error; ratio of positive decisions; "
        "distance of predictions",
    },
}
"""By table and column."""
