"""What the lake knows of a day as Dagster metadata and asset checks: problems, metrics, verdicts, pictures."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.findings import Finding, with_accepted
from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.check_results import Judged, check_spec, inline_picture, table

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation import ModelEvaluation
    from ml_assets.pipeline.registry import ModelRegistration
    from ml_assets.pipeline.training import ModelTraining
    from ml_assets.pipeline.validation import Validation

EVERY_DAY_ACCEPTED = "every_day_accepted"
SCOPES = ("day", "file", "row")


def every_day_accepted(spec: ModelSpec, key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check that no day of the run was rejected or is missing."""
    about = "Fails when a day of the run was rejected or has no files; names each fault with day, file, rule and count."
    return check_spec(EVERY_DAY_ACCEPTED, key, spec.checks.every_day_accepted, about)


def judge_days(spec: ModelSpec, stage: "Validation", days: Sequence[date], key: dg.AssetKey) -> Iterator[Judged]:
    """What `every_day_accepted` finds on the days of a run."""
    report = stage.report(days)
    rejected = report[report["scope"] == "day"]
    why = dict(zip(rejected["day"], rejected["reason"], strict=True))
    severity = spec.checks.every_day_accepted.severity
    found = [Finding(EVERY_DAY_ACCEPTED, day, day not in why, why.get(day, "the day was accepted"), severity) for day in days]
    # Most lines are left out of a long range; whole days must not be among them.
    faults = report.assign(day=report["day"].astype(str)).sort_values("scope", key=lambda scope: scope.map(SCOPES.index), kind="stable")
    figures = {"days_not_accepted": len(rejected), "rows_quarantined": stage.rows_quarantined(days), "faults": table(faults.to_dict("records"))}
    yield Judged(key, EVERY_DAY_ACCEPTED, with_accepted(spec.checks, found), metadata=figures)


def training_problem(stage: "ModelTraining", day: date) -> str | None:
    """Why there is no model of a day."""
    return stage.row(day)["problem"]


def model_metadata(stage: "ModelTraining", day: date) -> dict[str, Any]:
    """Digest, rounds, threshold and rows of the model of a day."""
    row = stage.row(day)
    if not row["model_digest"]:
        return {}
    names = ("model_digest", "rounds", "threshold", "rows", "positives")
    return {**{name: row[name] for name in names}, "artifacts": dg.MetadataValue.path(f"{stage.lake.uri}/{row['artifacts']}")}


def evaluation_problem(stage: "ModelEvaluation", day: date) -> str | None:
    """Why there is nothing to evaluate."""
    problem = stage.model_row(day)["problem"]
    return f"no model: {problem}" if problem else None


def evaluation_metadata(stage: "ModelEvaluation", day: date) -> dict[str, Any]:
    """Overall metrics of a day as numbers, which the UI plots over time."""
    overall = stage.overall(day)
    return {name: round(float(value), 6) for name, value in zip(overall["metric"], overall["value"], strict=True)}


def picture_metadata(stage: "ModelEvaluation", day: date) -> dict[str, Any]:
    """The pictures of the newest day's evaluation, inline, and its metrics with intervals and slices as a table."""
    from ml_assets.pipeline.pictures import evaluation_pictures

    metrics = stage.metrics(day)
    if metrics.empty:
        return {}
    pictures = evaluation_pictures(stage, day)
    inline = [inline_picture(name, png).md_str or "" for name, png in pictures.items()]
    shown = metrics[["metric", "value", "low", "high", "rows", "positives", "slice_column", "slice_value"]].round(4)
    return {"pictures": dg.MetadataValue.md("\n\n".join(inline)), "metrics": table(shown.to_dict("records"))}


def registration_problem(stage: "ModelRegistration", day: date) -> str | None:
    """Why there is no entry."""
    if stage.entry(day):
        return None
    problem = stage.evaluation.model_row(day)["problem"]
    return f"no model: {problem}" if problem else "no model"


def registration_metadata(stage: "ModelRegistration", day: date) -> dict[str, Any]:
    """Version, digest and where MLflow has it; nothing where the entry is of an earlier model of the day, the one of now being kept out."""
    entry = stage.entry(day)
    if not entry or entry["model_digest"] != stage.evaluation.model_row(day)["model_digest"]:
        return {}
    url = stage.registry.version_url(stage.spec.name, int(entry["version"]))
    mlflow = {"mlflow": f"models:/{stage.spec.name}/{entry['version']}", **({"mlflow_page": dg.MetadataValue.url(url)} if url else {})}
    return {**{name: value for name, value in entry.items() if value is not None}, **mlflow}
