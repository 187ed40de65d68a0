"""What each stage has to say of a day, read from the lake a few days at a time: the parts of the report."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.report import Bars, Part, Table
from ml_assets.pipeline.pictures import evaluation_pictures
from ml_assets.resources.mlflow_model import PASSPORT
from ml_assets.resources.table import Table as LakeTable

if TYPE_CHECKING:
    from ml_assets.pipeline.evaluation import ModelEvaluation
    from ml_assets.pipeline.features import FeatureEngineering
    from ml_assets.pipeline.registry import ModelRegistration
    from ml_assets.pipeline.validation import Validation

DAYS_AT_ONCE, DAYS_SHOWN = 25, 28
MOST_FILES, MOST_ROWS = 20, 5


def validation_parts(stage: "Validation", days: Sequence[date]) -> Iterator[Part]:
    """Landed files with their faults, rows landed, accepted and quarantined, some of the rows, and the rows of the days before."""
    counts, entries = stage.validated.row_counts(), stage.quarantined.row_counts()
    for some in (days[begin : begin + DAYS_AT_ONCE] for begin in range(0, len(days), DAYS_AT_ONCE)):
        files: dict[date, list[dict]] = {day: [] for day in some}
        for file in stage.landed_objects(some):
            files[file.pop("day")].append(file)
        for day in some:
            landed = sum(file["rows"] or 0 for file in files[day])
            accepted = counts.get(day, 0)
            yield Part(
                stage.name,
                day,
                "published" if accepted or not entries.get(day) else "rejected" if files[day] else "missing",
                facts={"rows_landed": landed, "rows_accepted": accepted, "rows_quarantined": landed - accepted, "files": len(files[day])},
                tables=[
                    *([Table("Landed files", sorted(files[day], key=lambda file: not file["fault"])[:MOST_FILES])] if files[day] else []),
                    *(_quarantined_rows(stage, day) if entries.get(day) else []),
                ],
                bars=[_rows_by_day(counts, day, stage.feed.source.start)],
                provenance=_fingerprint(stage.validated, day),
            )


def _quarantined_rows(stage: "Validation", day: date) -> list[Table]:
    import pyarrow.compute as pc

    entries = stage.quarantined.read([day], ["scope", "source_file", "source_row", "reasons", "row"])
    rows = [
        {"file": entry["source_file"], "row": entry["source_row"], "reasons": "; ".join(entry["reasons"]), "values": entry["row"]}
        for entry in entries.filter(pc.field("scope") == "row").slice(0, MOST_ROWS).to_pylist()
    ]
    return [Table("Some of the quarantined rows", rows)] if rows else []


def _rows_by_day(counts: dict[date, int], day: date, start: date) -> Bars:
    days = (day - timedelta(days=back) for back in range(DAYS_SHOWN, -1, -1))
    bars = {str(one): counts.get(one, 0) for one in days if one >= start}
    return Bars(f"Accepted rows of the day and of the {len(bars) - 1} days before", bars, str(day))


def _fingerprint(table: LakeTable, day: date) -> dict[str, object]:
    return {"fingerprint": f"{table.fingerprint(day) or 0:016x}"}


def features_parts(stage: "FeatureEngineering", days: Sequence[date]) -> Iterator[Part]:
    """Rows and number of features."""
    table = stage.tables[stage.name]
    counts = table.row_counts()
    for day in days:
        facts = {"rows": counts.get(day, 0), "features": len(stage.spec.feature_names())}
        yield Part(stage.name, day, facts=facts, provenance=_fingerprint(table, day))


def evaluation_parts(stage: "ModelEvaluation", days: Sequence[date]) -> Iterator[Part]:
    """The model, its metrics with intervals, overall and of slices, and what it was made from; pictures of the newest day."""
    from ml_assets.core.passport import LIBRARIES

    for day in days:
        model, table = stage.model_row(day), stage.tables[stage.name]
        if not model["model_digest"]:
            yield Part(stage.name, day, "no model", provenance=_fingerprint(table, day))
            continue
        metrics, names = stage.metrics(day), ["value", "low", "high", "rows", "positives"]
        is_overall = metrics["slice_column"].fillna("") == ""
        overall, slices = metrics[is_overall], metrics[~is_overall][["slice_column", "slice_value", "metric", *names]]
        passport = json.loads(stage.lake.files.read(f"{model['artifacts']}/{PASSPORT}"))
        yield Part(
            stage.name,
            day,
            facts={
                **{name: value for name, value in zip(overall["metric"], overall["value"], strict=True) if name in stage.spec.gates},
                **{name: model[name] for name in ("threshold", "rounds")},
                "training_rows": model["rows"],
                "training_positives": model["positives"],
            },
            tables=[
                Table("Metrics on the holdout, with 95 % intervals", overall[["metric", *names]].to_dict("records")),
                *([Table("Slices", slices.to_dict("records"))] if len(slices) else []),
            ],
            pictures=evaluation_pictures(stage, day) if day == days[-1] else {},
            provenance={
                **_fingerprint(table, day),
                "model_digest": model["model_digest"],
                "passport": f"{model['artifacts']}/{PASSPORT}",
                "training_days": f"{model['fit_first']} to {model['validation_last']}",
                "seed": passport["seed"],
                "libraries": ", ".join(f"{name} {passport['library_versions'][name]}" for name in LIBRARIES),
            },
        )


def registration_parts(stage: "ModelRegistration", days: Sequence[date]) -> Iterator[Part]:
    """The version in the registry."""
    for day in days:
        entry = stage.entry(day)
        provenance = _fingerprint(stage.tables[stage.name], day)
        if entry is None:
            yield Part(stage.name, day, "no model" if stage.evaluation.model_row(day)["problem"] else "not registered", provenance=provenance)
        else:
            facts = {"version": entry["version"], "mlflow_run_id": entry["mlflow_run_id"]}
            yield Part(stage.name, day, "registered", facts=facts, provenance=provenance)
