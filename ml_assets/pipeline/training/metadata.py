"""Metadata of trained models in the Dagster UI, and the check that they were trained when they were due."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import MODEL_DUE
from ml_assets.pipeline.steps.check_results import CheckRun, round_for_people
from ml_assets.pipeline.training.due_days import format_every, not_due

if TYPE_CHECKING:
    from ml_assets.pipeline.training.stage import ModelTraining


def training_problem(stage: "ModelTraining", day: date) -> str | None:
    """Return why there is no model of a day; None if there is one."""
    return stage.row(day)["problem"]


def model_metadata(stage: "ModelTraining", day: date) -> dict[str, Any]:
    """Return digest, rounds, threshold, rows and artifacts of the model of a day, and why a model was or was
    not due.
    """
    row = stage.row(day)
    due = {"due": row["due"]} if row.get("due") else {}
    if not row["model_digest"]:
        return due
    names = ("model_digest", "rounds", "threshold", "rows", "positives")
    figures = {name: row[name] for name in names if row[name] is not None}
    if "threshold" in figures:
        figures["threshold"] = round_for_people(row["threshold"])
    return {
        **due,
        **figures,
        "artifacts": dg.MetadataValue.path(f"{stage.lake.uri}/{row['artifacts']}"),
    }


def due_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the check `model_due`, where a model is not due every day."""
    if spec.training.every == timedelta(days=1):
        return []
    reasons = "".join(f", or {name}" for name in spec.training.when)
    about = f"Says why a model is due on a day or why none is, by training.every {format_every(spec.training.every)}"
    return [dg.AssetCheckSpec(MODEL_DUE, asset=key, description=f"{about}{reasons}; fails when it was not made.")]


def evaluate_due(stage: "ModelTraining", days: Sequence[date], key: dg.AssetKey) -> Iterator[CheckRun]:
    """Evaluate `model_due` on the days of a run; a day on which no model is due is not evaluated."""
    outcomes = []
    for check in due_checks(stage.spec, key):
        for day in days:
            row = stage.row(day)
            if reason := not_due(row):
                outcomes.append(CheckOutcome(MODEL_DUE, day, None, reason, "warn"))
            elif row["model_digest"]:
                outcomes.append(CheckOutcome(MODEL_DUE, day, True, f"a model was due: {row['due']}", "warn"))
            else:
                outcomes.append(CheckOutcome(MODEL_DUE, day, False, f"a model was due, but: {row['problem']}", "warn"))
        yield CheckRun(key, check.name, outcomes)
