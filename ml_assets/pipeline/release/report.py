"""What deployment and predictions have to say of a day: metadata, pictures, and their parts of the report."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.operations.reports.daily_report import Part, Table
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION
from ml_assets.pipeline.asset_names import CANARY_COMPARISON, DEPLOYMENT
from ml_assets.pipeline.steps.check_results import inline_plot, table

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.pipeline.release.deployment_stage import ModelDeployment
    from ml_assets.pipeline.release.predictions_stage import DailyPredictions

DAYS_SHOWN, MOST_EXPLAINED = 60, 10


def deployment_metadata(stage: "ModelDeployment", day: date) -> dict[str, Any]:
    """Outcome, reason and what is live afterwards; figures as numbers, which the UI plots over time."""
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
    figures = {name: round(value, 6) for name, value in json.loads(row["metrics"] or "{}").items()}
    return {"decision": row["outcome"], **{name: row[name] for name in names if row[name] is not None}, **figures}


def deployment_plots(stage: "ModelDeployment", day: date) -> dict[str, Any]:
    """Of the newest day: both sides as a table, and the comparison day by day, inline."""
    rows = stage.tables[CANARY_COMPARISON].read([day]).to_pandas()
    if rows.empty:
        return {}
    inline = [inline_plot(name, png).md_str or "" for name, png in _plots(stage, day).items()]
    return {"comparison": table(rows.round(6).to_dict("records")), "plots": dg.MetadataValue.md("\n\n".join(inline))}


def _plots(stage: "ModelDeployment", day: date) -> dict[str, bytes]:
    """The comparison by the metric of the specification, of the canary that the day decided upon."""
    from ml_assets.core.plots.canary import comparison_plot

    canary, row = stage.spec.deployment.canary, stage.row(day)
    if canary is None or row is None:
        return {}
    since = stage.canary_since(day)
    held = stage.tables[CANARY_COMPARISON].row_counts()
    days = [of for of in sorted(held) if since is not None and since <= of <= day][-DAYS_SHOWN:]
    rows = (
        stage.tables[CANARY_COMPARISON].read(days, ["day", "scope", "metric", "difference", "low", "high"]).to_pandas()
    )
    rows = rows[(rows["scope"] == "paired") & (rows["metric"] == canary.metric)]
    return {"canary": comparison_plot(canary.metric, list(rows["day"]), rows, canary.margin)} if len(rows) else {}


def deployment_parts(stage: "ModelDeployment", days: Sequence[date]) -> Iterator[Part]:
    """What was decided and why, what is live, and both models on the same rows; the picture of the newest day."""
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
            provenance={
                "fingerprint": f"{stage.tables[DEPLOYMENT].fingerprint(day) or 0:016x}",
                "release": row["release"],
            },
        )


def _tables(rows: "pd.DataFrame") -> list[Table]:
    if rows.empty:
        return []
    paired, sides = rows[rows["scope"] == "paired"], rows[rows["scope"] != "paired"]
    columns = ["scope", "metric", "value", "low", "high", "rows"]
    return [
        Table("Both models on the challenger's entities", paired.drop(columns="scope").to_dict("records")),
        Table("Both sides as they were live", sides[columns].to_dict("records")),
    ]


def predictions_metadata(stage: "DailyPredictions", day: date) -> dict[str, Any]:
    """Rows, positive decisions and mean score, of both sides."""
    rows = stage.scored(day)
    found: dict[str, Any] = {"positive_decisions": int(rows["decision"].sum())}
    for side, of_side in rows.groupby("side"):
        found |= {f"{side}_version": int(of_side["model_version"].iloc[0]), f"{side}_rows": len(of_side)}
        found |= {
            f"{side}_mean_score": round(float(of_side["score"].mean()), 6),
            f"{side}_positive_decisions": int(of_side["decision"].sum()),
        }
    return found


def predictions_plots(stage: "DailyPredictions", day: date) -> dict[str, Any]:
    """Of the newest day: the scores of both sides, inline."""
    found = _traffic_split_plot(stage, day)
    return {"plots": inline_plot("scores", found["scores"])} if found else {}


def _traffic_split_plot(stage: "DailyPredictions", day: date) -> dict[str, bytes]:
    from ml_assets.core.plots.canary import traffic_split_plot

    rows = stage.scored(day)
    by_side = {side: rows.loc[rows["side"] == side, "score"].to_numpy() for side in (CHAMPION, CHALLENGER)}
    return {"scores": traffic_split_plot(by_side, f"Scores of {len(rows):,} rows of {day}")} if len(rows) else {}


def predictions_parts(stage: "DailyPredictions", days: Sequence[date]) -> Iterator[Part]:
    """Rows and positive decisions of both sides, and the highest scores with their reasons; the picture of the newest
    day.
    """
    for day in days:
        yield Part(
            stage.name,
            day,
            facts=predictions_metadata(stage, day),
            tables=_highest(stage, day),
            plots=_traffic_split_plot(stage, day) if day == days[-1] else {},
            provenance={"fingerprint": f"{stage.tables[stage.name].fingerprint(day) or 0:016x}"},
        )


def _highest(stage: "DailyPredictions", day: date) -> list[Table]:
    rows = stage.tables[stage.name].read([day], [*stage.spec.row_key, "score", "side", "reasons"]).to_pandas()
    told = rows[rows["reasons"].notna()].sort_values("score", ascending=False, kind="stable").head(MOST_EXPLAINED)
    return (
        [Table("The highest scores, and the features that add most to them", told.to_dict("records"))]
        if len(told)
        else []
    )
