"""Metadata of registry entries in the Dagster UI."""

from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from ml_assets.pipeline.release.registration_stage import ModelRegistration


def registration_problem(stage: "ModelRegistration", day: date) -> str | None:
    """Return why there is no entry; None if there is one, or no model was due."""
    if stage.entry(day) or stage.evaluation.not_due(day):
        return None
    problem = stage.evaluation.model_row(day)["problem"]
    return f"no model: {problem}" if problem else "no model"


def registration_metadata(stage: "ModelRegistration", day: date) -> dict[str, Any]:
    """Return version, digest and the page in MLflow; empty if the entry belongs to an earlier model of the day and the
    current model was rejected.
    """
    entry = stage.entry(day)
    if not entry or entry["model_digest"] != stage.evaluation.model_row(day)["model_digest"]:
        return {}
    url = stage.registry.version_url(stage.spec.name, int(entry["version"]))
    mlflow = {
        "mlflow": f"models:/{stage.spec.name}/{entry['version']}",
        **({"mlflow_page": dg.MetadataValue.url(url)} if url else {}),
    }
    return {**{name: value for name, value in entry.items() if value is not None}, **mlflow}
