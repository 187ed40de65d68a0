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

    newest: the newest landed day, or the requested day. landed: the days of raw and validated data. featured: the days
    of features. to_do: whether any of them, or the model, is missing or out of date. due: the last day before `newest`
    on which a model was due; None if one is due on `newest` itself. options: those of the command, such as
    ` --day 2026-11-19`, with which it goes on.
    """

    newest: date
    landed: list[date]
    featured: list[date]
    to_do: bool
    due: date | None = None
    options: str = ""

    def model_day(self, stages: Stages) -> date:
        """Return the day of the model that a run needs: `newest`, or `due` if `newest` has no model and none is due on
        it.
        """
        has_model = self.due is None or stages.training.row(self.newest)["model_digest"]
        return self.newest if has_model or self.due is None else self.due


def days_needed(spec: ModelSpec, newest: date, stages: Stages) -> Needed:
    """Determine the days that the model of `newest` needs.

    The model is that of the last day on which one was due, or of `newest` if the stages are to train one. Feature days
    start with its training window, or with the window of the parameter search; raw and validated days start with the
    windows of these feature days.

    Raises:
        SystemExit: with a message, when the landed days are too few for a model.
    """
    from ml_assets.core.features.inputs import days_read
    from ml_assets.core.training.time_split import HistoryTooShort, first_day_read

    schedule = stages.training.due.schedule
    has_own = stages.training.due.is_requested or schedule.is_due(newest)
    due = None if has_own else schedule.last_due(newest)
    try:
        first = first_day_read(spec, min(newest, due or newest))
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
    model_days = [newest] if due is None else [due, newest]
    work += [(stage, model_days) for stage in stages.search_to_registration()]
    work += [(stage, [newest]) for stage in stages.release_stages()]
    try:
        to_do = any(_has_unfinished_run(stages, stage, days) for stage, days in work) or not all(
            is_current(stage, day) for stage, days in work for day in days
        )
    except CannotMake:
        to_do = True
    return Needed(newest, landed, featured, to_do, due)


def _has_unfinished_run(stages: Stages, stage: Stage, days: Sequence[date]) -> bool:
    """Return whether a run over some days of a stage did not finish: it may have committed the days without the work
    that follows a commit.
    """
    return (
        not RunMarkers(stages.training.lake, stages.training.spec.name, stage.name).unfinished_days().isdisjoint(days)
    )
