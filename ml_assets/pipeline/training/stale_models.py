"""Models whose training days were made again after training: found by their passports, and marked."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model.files import PROVENANCE
from ml_assets.pipeline.asset_names import MODEL
from ml_assets.pipeline.engine.day_state import is_current
from ml_assets.pipeline.engine.stage import CannotMake
from ml_assets.pipeline.training.stage import ModelTraining
from ml_assets.resources.registry.version_tags import set_tag, tagged

if TYPE_CHECKING:
    pass

TAG = "inputs_changed"
MOST_NAMED = 10


def mark_stale_models(context: dg.AssetExecutionContext, training: ModelTraining, days: Sequence[date]) -> None:
    """Mark the models that saw feature days, or labels, that were made again in a run over `days`.

    Each gets an observation on its day of trained_model and the tag `inputs_changed` on its version in the registry,
    which names the days that differ from those in its passport. Materialising that day of trained_model makes the model
    again. A mark that no longer holds is taken away.
    """
    spec, registry = training.spec, context.resources.registry
    models = _models_and_changes(training, days)
    marked = tagged(registry.client, spec.name, TAG) if models else {}
    for day, digest, changed in models:
        told = _text(changed) if changed else None
        if told == marked.get(digest):
            continue
        set_tag(registry.client, spec.name, digest, TAG, told)
        if told is not None:
            context.log.warning(f"{MODEL} {day}: {told}")
            context.log_event(
                dg.AssetObservation(
                    [spec.name, MODEL], partition=day.isoformat(), metadata={"problem": told, "model_digest": digest}
                )
            )


def _models_and_changes(training: ModelTraining, days: Sequence[date]) -> list[tuple[date, str, list[str]]]:
    """(day of the model, digest, days of its training window that are not as they were) of each model that could see
    one of `days`.

    A model is left out while it cannot be told what it would see, or saw: because days have to be made first, or its
    passport is gone.
    """
    spec = training.spec
    if not training.lake.exists(spec.name, MODEL):
        return []
    training.refresh()
    reach = 2 * spec.label_delay + spec.evaluation.holdout + spec.training.window
    reach += spec.training.search.every if spec.training.search else timedelta(0)
    made = [day for day in sorted(training.tables[MODEL].row_counts()) if days[0] <= day <= days[-1] + reach]
    rows = {day: row for day in made if (row := training.row(day))["model_digest"]}
    return [
        (day, row["model_digest"], changed)
        for day, row in rows.items()
        if (changed := _changed(training, day, row)) is not None
    ]


def _changed(training: ModelTraining, day: date, row: dict) -> list[str] | None:
    try:
        if is_current(training, day) and (training.search is None or is_current(training.search, day)):
            return []
        now = training.seen(day)
        then = json.loads(training.lake.files.read(f"{row['artifacts']}/{PROVENANCE}"))["days"]
    except (CannotMake, FileNotFoundError):
        return None
    as_then = {part: {of.isoformat(): f"{value:016x}" for of, value in days.items()} for part, days in now.items()}
    return sorted(
        {
            of
            for part, days in as_then.items()
            for of in {*days, *then.get(part, {})}
            if days.get(of) != then.get(part, {}).get(of)
        }
    )


def _text(changed: list[str]) -> str:
    more = f" and {len(changed) - MOST_NAMED} more" if len(changed) > MOST_NAMED else ""
    return f"{len(changed)} days of its training window changed after it was trained: {', '.join(changed[:MOST_NAMED])}{more}"
