"""Metadata of trained models in the Dagster UI."""

from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.pipeline.steps.check_results import round_for_people

if TYPE_CHECKING:
    from ml_assets.pipeline.training.stage import ModelTraining


def training_problem(stage: "ModelTraining", day: date) -> str | None:
    """Return why there is no model of a day; None if there is one."""
    return stage.row(day)["problem"]


def model_metadata(stage: "ModelTraining", day: date) -> dict[str, Any]:
    """Return digest, rounds, threshold, rows and artifacts of the model of a day; nothing if it has none."""
    row = stage.row(day)
    if not row["model_digest"]:
        return {}
    names = ("model_digest", "rounds", "threshold", "rows", "positives")
    return {
        **{name: row[name] for name in names},
        "threshold": round_for_people(row["threshold"]),
        "artifacts": dg.MetadataValue.path(f"{stage.lake.uri}/{row['artifacts']}"),
    }
