"""What the lake knows of a day as Dagster metadata and asset checks: problems, metrics, verdicts, pictures."""

import base64
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.spec import ModelSpec

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation import ModelEvaluation
    from ml_assets.pipeline.registry import ModelRegistration
    from ml_assets.pipeline.training import ModelTraining
    from ml_assets.pipeline.validation import Validation

EVERY_DAY_ACCEPTED = "every_day_accepted"
MOST_LINES = 200
SCOPES = ("day", "file", "row")


def every_day_accepted(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check that no day of the run was rejected or is missing."""
    about = "Fails when a day of the run was rejected or has no files; names each fault with day, file, rule and count."
    return dg.AssetCheckSpec(EVERY_DAY_ACCEPTED, asset=key, description=about)


def judge_days(stage: "Validation", days: Sequence[date], key: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    """The result of `every_day_accepted` over the days of a run."""
    report = stage.report(days)
    rejected = report[report["scope"] == "day"]
    # Most lines are left out of a long range; whole days must not be among them.
    faults = report.assign(day=report["day"].astype(str)).sort_values("scope", key=lambda scope: scope.map(SCOPES.index), kind="stable")
    yield dg.AssetCheckResult(
        passed=rejected.empty,
        check_name=EVERY_DAY_ACCEPTED,
        asset_key=key,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(rejected)} of {len(days)} days were rejected or are missing" if len(rejected) else "every day of the run was accepted",
        metadata={
            "days": len(days),
            "days_not_accepted": len(rejected),
            "rows_quarantined": stage.rows_quarantined(days),
            "faults": _table(faults),
        },
    )


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
    inline = [f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})" for name, png in pictures.items()]
    shown = metrics[["metric", "value", "low", "high", "rows", "positives", "slice_column", "slice_value"]].round(4)
    return {"pictures": dg.MetadataValue.md("\n\n".join(inline)), "metrics": _table(shown)}


def gate_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """One check for each gate of the spec."""
    return [
        dg.AssetCheckSpec(f"gate_{metric}", asset=key, description=f"{metric} on the holdout: {_bounds(gate.minimum, gate.maximum)}")
        for metric, gate in spec.gates.items()
    ]


def judge_gates(stage: "ModelEvaluation", days: Sequence[date], key: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    """The result of each gate over the days of a run that have a model; it fails when one of them is outside, or none has a model."""
    verdicts = {day: stage.verdicts(day) for day in days if stage.model_row(day)["model_digest"]}
    for position, metric in enumerate(stage.spec.gates):
        of_days = {day: found[position] for day, found in verdicts.items()}
        failed = [day for day, verdict in of_days.items() if not verdict.passed]
        newest = of_days[max(of_days)] if of_days else None
        yield dg.AssetCheckResult(
            passed=bool(of_days) and not failed,
            check_name=f"gate_{metric}",
            asset_key=key,
            severity=dg.AssetCheckSeverity.ERROR,
            description=newest.reason if newest else "no day of the run has a model",
            metadata={
                **({"value": newest.value} if newest and newest.value is not None else {}),
                "days": len(of_days),
                "days_failed": ", ".join(str(day) for day in failed[:MOST_LINES]) or "none",
            },
        )


def registration_problem(stage: "ModelRegistration", day: date) -> str | None:
    """Why there is no entry."""
    return None if stage.entry(day) else "no model"


def registration_metadata(stage: "ModelRegistration", day: date) -> dict[str, Any]:
    """Version, digest and what became of the alias."""
    entry = stage.entry(day)
    return {name: value for name, value in entry.items() if value is not None} if entry else {}


def _bounds(minimum: float | None, maximum: float | None) -> str:
    return " and ".join([*([f"at least {minimum:g}"] if minimum is not None else []), *([f"at most {maximum:g}"] if maximum is not None else [])])


def _table(frame) -> dg.TableMetadataValue:
    import json

    shown = json.loads(frame.head(MOST_LINES).to_json(orient="records"))
    records = [dg.TableRecord({name: "" if value is None else value for name, value in row.items()}) for row in shown]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(str(name)) for name in frame.columns]))
