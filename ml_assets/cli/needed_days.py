"""The days that the model of one day needs."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.day_ranges import days_between
from ml_assets.pipeline.engine.day_state import is_current
from ml_assets.pipeline.engine.run_markers import RunMarkers
from ml_assets.pipeline.engine.stage import CannotMake, Stage
from ml_assets.pipeline.graph.stages import Stages


@dataclass(frozen=True)
class Needed:
    """Days that the model of `newest` needs.

    newest: the newest landed day. landed: the days of raw and validated data. featured: the days of features. to_do:
    whether any of them, or the model, is missing or out of date.
    """

    newest: date
    landed: list[date]
    featured: list[date]
    to_do: bool


def days_needed(spec: ModelSpec, newest: date, stages: Stages) -> Needed:
    """Determine the days that the model of `newest` needs.

    Feature days start with the training window, or with that of the parameter search; raw and validated days start with
    the windows of those feature days.

    Raises:
        SystemExit: with a message, when the landed days are too few for a model.
    """
    from ml_assets.core.features.inputs import days_read
    from ml_assets.core.training.time_split import HistoryTooShort, first_day_read

    try:
        first = first_day_read(spec, newest)
    except HistoryTooShort as error:
        needs = 2 * spec.label_delay.days + spec.evaluation.holdout.days + spec.training.window.days
        sys.exit(
            f"{error}. A model needs {needs} days: training.window {spec.training.window.days}d, evaluation.holdout "
            f"{spec.evaluation.holdout.days}d and twice label_delay {spec.label_delay.days}d; the files from "
            f"{spec.source.start} to {newest} are {count((newest - spec.source.start).days + 1, 'day')}. Land earlier "
            "days and set source.start to the first of them, or shorten these settings; then run the command again"
        )
    first_landed = max(spec.source.start, first - timedelta(days=days_read(spec)[-1]))
    landed, featured = days_between(first_landed, newest), days_between(first, newest)
    work = [(stage, landed) for stage in stages.up_to_validation()] + [(stages.features, featured)]
    work += [(stage, [newest]) for stage in (*stages.search_to_registration(), *stages.release_stages())]
    try:
        to_do = any(_has_unfinished_run(stages, stage, days) for stage, days in work) or not all(
            is_current(stage, day) for stage, days in work for day in days
        )
    except CannotMake:
        to_do = True
    return Needed(newest, landed, featured, to_do)


def _has_unfinished_run(stages: Stages, stage: Stage, days: Sequence[date]) -> bool:
    """Return whether a run over some of the days of a stage did not end: the days may be committed, but not what
    follows a commit.
    """
    return (
        not RunMarkers(stages.training.lake, stages.training.spec.name, stage.name).unfinished_days().isdisjoint(days)
    )
