"""Evaluations in the daily report."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.model.files import PROVENANCE
from ml_assets.core.model_spec.types.task import BINARY
from ml_assets.core.operations.reports.daily_report import Part, Table
from ml_assets.pipeline.evaluation.metadata import known_positives_note
from ml_assets.pipeline.evaluation.plots import evaluation_plots
from ml_assets.pipeline.steps.report_store import fingerprint_entry

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation


def evaluation_parts(stage: "ModelEvaluation", days: Sequence[date]) -> Iterator[Part]:
    """Report the model of each day, its metrics with intervals, overall and of slices, its plots and its provenance."""
    from ml_assets.core.training.provenance import LIBRARIES

    for day in days:
        model = stage.evaluated_model(day)
        table = stage.tables[stage.name]
        if not model["model_digest"]:
            due = {"due": reason} if (reason := stage.not_due(day)) else {}
            yield Part(stage.name, day, "no model", facts=due, provenance=fingerprint_entry(table, day))
            continue
        metrics = stage.metrics(day)
        is_binary = stage.spec.task == BINARY
        names = ["value", "low", "high", "rows", *(["positives"] if is_binary else [])]
        is_overall = metrics["slice_column"].fillna("") == ""
        overall = metrics[is_overall]
        slices = metrics[~is_overall][["slice_column", "slice_value", "metric", *names]]
        known = known_positives_note(stage.spec, day)
        provenance = json.loads(stage.lake.files.read(f"{model['artifacts']}/{PROVENANCE}"))
        yield Part(
            stage.name,
            day,
            facts={
                **{
                    name: value
                    for name, value in zip(overall["metric"], overall["value"], strict=True)
                    if name in stage.spec.gates
                },
                **({"threshold": model["threshold"]} if is_binary else {}),
                "rounds": model["rounds"],
                "training_rows": model["rows"],
                **({"training_positives": model["positives"]} if is_binary else {}),
                **({"known_positives": known} if known else {}),
            },
            tables=[
                Table("Metrics on the holdout, with 95 % intervals", overall[["metric", *names]].to_dict("records")),
                *([Table("Slices", slices.to_dict("records"))] if len(slices) else []),
            ],
            plots=evaluation_plots(stage, day),
            provenance={
                **fingerprint_entry(table, day),
                "model_digest": model["model_digest"],
                "passport": f"{model['artifacts']}/{PROVENANCE}",
                "training_days": f"{model['fit_first']} to {model['validation_last']}",
                "seed": provenance["seed"],
                "libraries": ", ".join(f"{name} {provenance['library_versions'][name]}" for name in LIBRARIES),
            },
        )
