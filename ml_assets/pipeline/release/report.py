"""Metadata, plots and parts of the daily report for deployment and predictions."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from math import isnan
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.model_spec.types.metric_names import lowest_difference
from ml_assets.core.model_spec.types.task import BINARY, DECISION, MULTICLASS, REGRESSION, column_part
from ml_assets.core.operations.reports.daily_report import Part, Table
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION
from ml_assets.pipeline.asset_names import CANARY_COMPARISON, DEPLOYMENT, PREDICTIONS
from ml_assets.pipeline.steps.check_results import inline_plot, round_for_people, table
from ml_assets.pipeline.steps.report_store import Reports, fingerprint_entry

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ml_assets.pipeline.release.deployment_stage import ModelDeployment
    from ml_assets.pipeline.release.predictions_stage import DailyPredictions

DAYS_SHOWN, MOST_EXPLAINED = 60, 10
_PREDICTED = {BINARY: "scores", MULTICLASS: "probabilities"}


def deployment_metadata(stage: "ModelDeployment", day: date) -> dict[str, Any]:
    """Return the decision, its reason, and the live versions after it; figures are numbers, which the UI plots over
    time.
    """
    row = stage.row(day)
    if row is None:
        return {}
    names = (
        "reason",
        "champion_version",
        "challenger_version",
        "percent",
        "paused",
        "release",
        "step_days",
        "step_rows",
        "positives",
    )
    figures = {name: round_for_people(value) for name, value in json.loads(row["metrics"] or "{}").items()}
    return {"decision": row["outcome"], **{name: row[name] for name in names if row[name] is not None}, **figures}


def deployment_plots(stage: "ModelDeployment", day: date) -> dict[str, Any]:
    """Return the comparison with the champion as a table, and its plot over the days of the canary."""
    rows = stage.tables[CANARY_COMPARISON].read([day]).to_pylist()
    if not rows:
        return {}
    plots = _reported_plots(stage, DEPLOYMENT, day, {"canary"}) or _plots(stage, day)
    inline = [inline_plot(name, plot).md_str or "" for name, plot in plots.items()]
    rounded = [
        {name: round_for_people(value) if isinstance(value, float) else value for name, value in row.items()}
        for row in rows
    ]
    return {"comparison": table(rounded), "plots": dg.MetadataValue.md("\n\n".join(inline))}


def _plots(stage: "ModelDeployment", day: date) -> dict[str, bytes]:
    """Plot the comparison by the metric of the specification, over the days of the canary."""
    from ml_assets.core.plots.canary import comparison_plot

    canary, row = stage.spec.deployment.canary, stage.row(day)
    if canary is None or row is None:
        return {}
    since = stage.canary_since(day)
    compared = sorted(stage.tables[CANARY_COMPARISON].row_counts())
    days = [compared_day for compared_day in compared if since is not None and since <= compared_day <= day][
        -DAYS_SHOWN:
    ]
    names = ["day", "scope", "metric", "champion_value", "difference", "low", "high"]
    rows = stage.tables[CANARY_COMPARISON].read(days, names).to_pandas()
    rows = rows[(rows["scope"] == "paired") & (rows["metric"] == canary.metric)]
    if not len(rows):
        return {}
    margin = -lowest_difference(canary.metric, canary.margin, rows["champion_value"].iloc[-1])
    return {
        "canary": comparison_plot(canary.metric, list(rows["day"]), rows, canary.margin if isnan(margin) else margin)
    }


def deployment_parts(stage: "ModelDeployment", days: Sequence[date]) -> Iterator[Part]:
    """Report the decision, the live versions, and both models on the same rows, with a plot for the newest day."""
    for day in days:
        row = stage.row(day)
        if row is None:
            yield Part(DEPLOYMENT, day)
            continue
        rows = stage.tables[CANARY_COMPARISON].read([day]).to_pandas()
        names = (
            "reason",
            "champion_version",
            "challenger_version",
            "percent",
            "paused",
            "step_since",
            "canary_since",
            "labels_through",
        )
        yield Part(
            DEPLOYMENT,
            day,
            facts={"decision": row["outcome"], **{name: row[name] for name in names if row[name] is not None}},
            tables=_tables(rows),
            plots=_plots(stage, day) if day == days[-1] else {},
            provenance={**fingerprint_entry(stage.tables[DEPLOYMENT], day), "release": row["release"]},
        )


def _tables(rows: "pd.DataFrame") -> list[Table]:
    if rows.empty:
        return []
    paired, unpaired = rows[rows["scope"] == "paired"], rows[(rows["scope"] != "paired") & (rows["rows"] > 0)]
    columns = ["scope", "metric", "value", "low", "high", "rows"]
    return [
        Table("Both models on the challenger's entities", paired.drop(columns="scope").to_dict("records")),
        Table("Each model on the entities that it was live for", unpaired[columns].to_dict("records")),
    ]


def predictions_metadata(stage: "DailyPredictions", day: date) -> Mapping[str, Any]:
    """Return rows and positive decisions, mean prediction or shares of the predicted classes, of champion and
    challenger, from the report if it has them.
    """
    fingerprint = fingerprint_entry(stage.tables[PREDICTIONS], day)
    return Reports(stage.spec.name, stage.lake).facts(day, PREDICTIONS, fingerprint) or _summarize(stage, day)


def _summarize(stage: "DailyPredictions", day: date) -> dict[str, Any]:
    rows, outputs = _scored(stage, day), stage.spec.outputs
    sides, versions = rows["side"].to_numpy(), rows["model_version"].to_numpy()
    values = rows[outputs.main].to_numpy(zero_copy_only=False)
    metadata: dict[str, Any] = {}
    if outputs.task == BINARY:
        decisions = rows[DECISION].to_numpy().astype(bool)
        metadata["positive_decisions"] = int(decisions.sum())
    for role in sorted(set(sides)):
        is_scored = sides == role
        metadata |= {f"{role}_version": int(versions[is_scored][0]), f"{role}_rows": int(is_scored.sum())}
        if outputs.task == MULTICLASS:
            shares = {label: float((values[is_scored] == label).mean()) for label in outputs.classes}
            metadata |= {f"{role}_share_{column_part(name)}": round_for_people(share) for name, share in shares.items()}
            continue
        metadata[f"{role}_mean_{outputs.main}"] = round_for_people(float(values[is_scored].mean(dtype="float64")))
        if outputs.task == BINARY:
            metadata[f"{role}_positive_decisions"] = int(decisions[is_scored].sum())
    return metadata


def predictions_plots(stage: "DailyPredictions", day: date) -> dict[str, Any]:
    """Return the plot of the scores, probabilities or predictions of champion and challenger."""
    name = _PREDICTED.get(stage.spec.task, "predictions")
    plots = _reported_plots(stage, PREDICTIONS, day, {name}) or _traffic_split_plot(stage, day)
    return {"plots": inline_plot(name, plots[name])} if plots else {}


def _scored(stage: "DailyPredictions", day: date) -> "pa.Table":
    """Read the committed predictions of a day without pandas, which a day with nothing to do need not load."""
    return stage.tables[PREDICTIONS].read([day], [*stage.spec.outputs.columns, "side", "model_version"])


def _reported_plots(
    stage: "ModelDeployment | DailyPredictions", asset: str, day: date, names: Collection[str]
) -> dict[str, bytes]:
    """Return the named plots of the daily report; none if it lacks one, or was written for another result of
    the day.
    """
    plots = Reports(stage.spec.name, stage.lake).plots(day, asset, fingerprint_entry(stage.tables[asset], day))
    return {name: plots[name] for name in names} if plots.keys() >= {*names} else {}


def _traffic_split_plot(stage: "DailyPredictions", day: date) -> dict[str, bytes]:
    import numpy as np

    from ml_assets.core.plots.canary import traffic_split_plot

    rows = _scored(stage, day)
    outputs, sides = stage.spec.outputs, rows["side"].to_numpy()
    if outputs.task == MULTICLASS:
        values = np.max([rows[name].to_numpy() for name in outputs.values], axis=0)
    else:
        values = rows[outputs.main].to_numpy()
    what = {BINARY: "Scores", MULTICLASS: "Probabilities of the predicted class"}.get(outputs.task, "Predictions")
    scores = {role: values[sides == role] for role in (CHAMPION, CHALLENGER)}
    if not len(rows):
        return {}
    bounds, label = ((0.0, 1.0), "Score") if outputs.task == BINARY else ((0.0, 1.0), "Probability")
    if outputs.task == REGRESSION:
        bounds, label = None, "Prediction"
    name = _PREDICTED.get(outputs.task, "predictions")
    return {name: traffic_split_plot(scores, f"{what} of {len(rows):,} rows of {day}", bounds, label)}


def predictions_parts(stage: "DailyPredictions", days: Sequence[date]) -> Iterator[Part]:
    """Report rows and positive decisions, and the highest scores with their reasons, with a plot for the newest day."""
    for day in days:
        yield Part(
            stage.name,
            day,
            facts=_summarize(stage, day),
            tables=_highest(stage, day),
            plots=_traffic_split_plot(stage, day) if day == days[-1] else {},
            provenance=fingerprint_entry(stage.tables[stage.name], day),
        )


def _highest(stage: "DailyPredictions", day: date) -> list[Table]:
    outputs = stage.spec.outputs
    names = [name for name in outputs.columns if name != DECISION]
    rows = stage.tables[stage.name].read([day], [*stage.spec.row_key, *names, "side", "reasons"]).to_pandas()
    explained = rows[rows["reasons"].notna()]
    rank = explained[list(outputs.values)].max(axis=1) if outputs.task == MULTICLASS else explained[outputs.main]
    explained = explained.loc[rank.sort_values(ascending=False, kind="stable").index].head(MOST_EXPLAINED)
    title = f"The highest {_PREDICTED.get(outputs.task, 'predictions')}, and the features that contribute most to them"
    return [Table(title, explained.to_dict("records"))] if len(explained) else []
