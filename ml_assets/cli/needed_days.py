"""The days that have to be made before the model of one day can be."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.day_ranges import days_between
from ml_assets.pipeline.engine.day_state import is_current
from ml_assets.pipeline.engine.run_markers import RunMarkers
from ml_assets.pipeline.engine.stage import CannotMake, Stage
from ml_assets.pipeline.graph.stages import Stages


@dataclass(frozen=True)
class Needed:
    """What the model of `newest` needs: the days of each part of the graph, and whether anything of it is not as it
    would be made now.
    """

    newest: date
    landed: list[date]
    featured: list[date]
    to_do: bool


def days_needed(spec: ModelSpec, newest: date, stages: Stages) -> Needed:
    """The days that the model of `newest` needs.

    Feature days from its training window on, or from that of the search for its parameters, and raw and validated days
    that these see.

    Raises:
        SystemExit: when the data are too short for a model.
    """
    from ml_assets.core.features.point_in_time import days_read
    from ml_assets.core.training.time_split import HistoryTooShort, first_day_read

    try:
        first = first_day_read(spec, newest)
    except HistoryTooShort as error:
        sys.exit(f"{error}; the newest landed day is {newest}")
    seen = max(spec.source.start, first - timedelta(days=days_read(spec)[-1]))
    landed, featured = days_between(seen, newest), days_between(first, newest)
    work = [(stage, landed) for stage in stages.of_landed()] + [(stages.features, featured)]
    work += [(stage, [newest]) for stage in (*stages.of_model(), *stages.of_live())]
    try:
        to_do = any(_was_left(stages, stage, days) for stage, days in work) or not all(
            is_current(stage, day) for stage, days in work for day in days
        )
    except CannotMake:
        to_do = True
    return Needed(newest, landed, featured, to_do)


def _was_left(stages: Stages, stage: Stage, days: Sequence[date]) -> bool:
    """Whether a run was at some days of a stage and did not end: what follows a commit may be missing although the days
    are there.
    """
    return (
        not RunMarkers(stages.training.lake, stages.training.spec.name, stage.name).unfinished_days().isdisjoint(days)
    )
