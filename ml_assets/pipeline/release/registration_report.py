"""The part of the daily report for registry entries."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.pipeline.steps.report_store import fingerprint_entry

if TYPE_CHECKING:
    from ml_assets.pipeline.release.registration_stage import ModelRegistration


def registration_parts(stage: "ModelRegistration", days: Sequence[date]) -> Iterator[Part]:
    """Report the version in the registry."""
    for day in days:
        entry = stage.entry(day)
        provenance = fingerprint_entry(stage.tables[stage.name], day)
        if entry is None:
            has_none, not_due = stage.evaluation.model_row(day)["problem"], stage.evaluation.not_due(day)
            yield Part(
                stage.name,
                day,
                "no model" if has_none or not_due else "not registered",
                provenance=provenance,
            )
        else:
            facts = {"version": entry["version"], "mlflow_run_id": entry["mlflow_run_id"]}
            yield Part(stage.name, day, "registered", facts=facts, provenance=provenance)
