"""Models whose training days changed after training, according to their provenance: marked, or a trigger to train
again.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta

import dagster as dg

from ml_assets.core.counts import count
from ml_assets.core.model.files import PROVENANCE
from ml_assets.core.training.provenance import changed_days
from ml_assets.pipeline.asset_names import MODEL, asset_key
from ml_assets.pipeline.engine.day_state import is_current
from ml_assets.pipeline.engine.stage import CannotMake
from ml_assets.pipeline.features.labelled_features import LabelledFeatures
from ml_assets.pipeline.training.committed_rows import CommittedRows, to_rows
from ml_assets.pipeline.training.due_days import TrainingSchedule
from ml_assets.pipeline.training.stage import ModelTraining
from ml_assets.resources.lake.table import Table
from ml_assets.resources.registry.version_tags import set_tag, tag_values

TAG = "inputs_changed"
MAX_DAYS_NAMED = 10


def mark_stale_models(context: dg.AssetExecutionContext, training: ModelTraining, days: Sequence[date]) -> None:
    """Mark the models that were trained on feature days, or labels, that changed in a run over `days`.

    Each gets an observation on its day of trained_model and the tag `inputs_changed` on its version in the registry,
    which names the days that differ from those in its provenance. Materializing that day of trained_model trains the
    model again. A mark that no longer holds is removed.
    """
    spec, registry = training.spec, context.resources.registry
    models = _models_and_changes(training, days)
    marked = tag_values(registry.client, spec.name, TAG) if models else {}
    for day, digest, changed in models:
        problem = _describe(changed) if changed else None
        if problem == marked.get(digest):
            continue
        set_tag(registry.client, spec.name, digest, TAG, problem)
        if problem is not None:
            context.log.warning(f"{MODEL} {day}: {problem}")
            context.log_event(
                dg.AssetObservation(
                    asset_key(spec, MODEL),
                    partition=day.isoformat(),
                    metadata={"problem": problem, "model_digest": digest},
                )
            )


def _models_and_changes(training: ModelTraining, days: Sequence[date]) -> list[tuple[date, str, list[str]]]:
    """List (day of the model, its digest, changed days of its training window) of each model that may read `days`.

    A model is left out if its current or recorded inputs are unknown: because days have to be computed first, or
    because its provenance is gone.
    """
    spec = training.spec
    if not training.lake.exists(spec.name, MODEL):
        return []
    training.refresh()
    reach = 2 * spec.label_delay + spec.evaluation.holdout + spec.training.window
    reach += spec.training.search.every if spec.training.search else timedelta(0)
    model_days = [day for day in sorted(training.tables[MODEL].row_counts()) if days[0] <= day <= days[-1] + reach]
    rows = {day: row for day in model_days if (row := training.row(day))["model_digest"]}
    return [
        (day, row["model_digest"], changed)
        for day, row in rows.items()
        if (changed := _changed_days(training, day, row)) is not None
    ]


def _changed_days(training: ModelTraining, day: date, row: dict) -> list[str] | None:
    try:
        if is_current(training, day) and (training.search is None or is_current(training.search, day)):
            return []
        now = training.input_fingerprints(day)
        then = json.loads(training.lake.files.read(f"{row['artifacts']}/{PROVENANCE}"))["days"]
    except (CannotMake, FileNotFoundError):
        return None
    return changed_days(then, now)


def _describe(changed: list[str]) -> str:
    more = f" and {len(changed) - MAX_DAYS_NAMED} more" if len(changed) > MAX_DAYS_NAMED else ""
    days = ", ".join(changed[:MAX_DAYS_NAMED])
    return f"{count(len(changed), 'day')} of its training window changed after it was trained: {days}{more}"


class StaleInputs:
    """Makes a model due on a day if the data of the newest model before it have changed, or that model was not trained.

    Args:
        models: the table trained_model.
        rows: the days of features with their labels.
        schedule: the days on which a model is due anyway.
    """

    def __init__(self, models: Table, rows: LabelledFeatures, schedule: TrainingSchedule):
        self._models = models
        self._rows = rows
        self._schedule = schedule
        self._model_rows = CommittedRows(models, to_rows)

    def refresh(self) -> None:
        """Reopen the inputs at their newest versions."""
        self._models.refresh()
        self._rows.refresh()

    def reason(self, day: date) -> str | None:
        """Return why the newest model before a day is stale; None if it is not, or if that is unknown."""
        last, before = self._schedule.last_due(day), day - timedelta(days=1)
        while before >= last:
            if self._models.is_assumed(before):
                return None
            rows = self._model_rows.read(before)
            if rows and rows[0]["model_digest"]:
                changed = self._changed_days(before, rows[0])
                days = count(len(changed), "day")
                return f"{days} of the training window of the model of {before} changed" if changed else None
            before -= timedelta(days=1)
        return f"the model that was due on {last} was not made"

    def _changed_days(self, day: date, row: dict) -> list[str]:
        try:
            now = self._rows.input_fingerprints(day)
            then = json.loads(self._rows.lake.files.read(f"{row['artifacts']}/{PROVENANCE}"))["days"]
        except (CannotMake, FileNotFoundError):
            return []
        return changed_days(then, now)
