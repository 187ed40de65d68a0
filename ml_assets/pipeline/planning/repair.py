"""Repair of quarantined rows: checks and stores corrected rows, and finds the days that have to be computed again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ml_assets.core.counts import count
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.tables.fingerprint import CHANGED_CODE, CHANGED_SPEC
from ml_assets.core.validation.correction_file import RepairRefused, by_day, check_day, read_repair_file
from ml_assets.core.validation.corrections import Correction, correction_file, number_of
from ml_assets.pipeline.engine.day_state import is_committed, is_current
from ml_assets.pipeline.engine.stage import CannotMake, Stage
from ml_assets.pipeline.graph.stages import Stages
from ml_assets.pipeline.planning.backfill_plan import Plan
from ml_assets.pipeline.validation.corrections import Corrections
from ml_assets.resources.lake.lake import Lake

MAX_NAMED_FAULTS = 20


@dataclass(frozen=True)
class CheckedFile:
    """A file of corrected rows without faults: the days of its rows, and the new corrections of each day."""

    days: list[date]
    corrections: Mapping[date, Sequence[Correction]] = field(default_factory=dict)

    def rows(self) -> int:
        """Return the number of new corrections."""
        return sum(map(len, self.corrections.values()))


def check_file(stages: Stages, corrections: Corrections, name: str, content: bytes) -> CheckedFile:
    """Check every row of a file of corrected rows, day by day.

    Raises:
        RepairRefused: when a row is wrong; names up to 20 faults with row, column and rule.
    """
    feed = stages.validation.feed
    days, faults = by_day(read_repair_file(feed, name, content))
    new_corrections = {}
    for day, rows in days.items():
        raw, objects = (stages.ingestion.tables[table].read([day]) for table in (feed.raw, feed.objects))
        checked = check_day(feed, day, raw, objects, corrections.read(day), rows)
        faults += checked.problems
        if checked.corrections:
            new_corrections[day] = checked.corrections
    if faults:
        more = [f"and {len(faults) - MAX_NAMED_FAULTS} more"] if len(faults) > MAX_NAMED_FAULTS else []
        summary = f"{name}: {count(len(faults), 'fault')}, nothing was changed; correct the rows, or remove them"
        raise RepairRefused("\n".join([summary, *faults[:MAX_NAMED_FAULTS], *more]))
    return CheckedFile([*days], new_corrections)


def keep_corrections(corrections: Corrections, checked: CheckedFile) -> None:
    """Write the new corrections, one file per day, numbered after the files that the day already has."""
    files = {}
    for day, corrections_of_day in checked.corrections.items():
        newest = max(map(number_of, corrections.read(day)), default=0)
        files[day] = correction_file(newest + 1, corrections_of_day)
    corrections.write(files)


def days_to_validate(stages: Stages, days: Sequence[date]) -> list[date]:
    """Return the days on which validated_data is not current."""
    return [day for day in days if _is_stale(stages.validation, day)]


def feature_days_to_make(stages: Stages, days: Sequence[date]) -> list[date]:
    """Return the committed feature days that read any of these days and are not current."""
    from ml_assets.core.features.inputs import days_read

    readers = {day + timedelta(days=offset) for day in days for offset in days_read(stages.features.spec)}
    return [day for day in sorted(readers) if is_committed(stages.features, day) and _is_stale(stages.features, day)]


def _is_stale(stage: Stage, day: date) -> bool:
    try:
        return not is_current(stage, day)
    except CannotMake:
        return False


def days_of_changed_rules(plan: Plan) -> dict[str, list[date]]:
    """Return, by stage, the days computed because code or specification changed, and the days that read them."""
    changed_days: dict[str, list[date]] = {}
    for stage in plan.stages:
        changed_days[stage.name] = [
            planned.day
            for planned in stage.to_make
            if {CHANGED_CODE, CHANGED_SPEC} & set(planned.reasons)
            or any(
                input_day in changed_days.get(asset, ())
                for asset, input_days in planned.inputs.items()
                for input_day in input_days
            )
        ]
    return {name: days for name, days in changed_days.items() if days}


def models_that_saw(stages: Stages, days: Sequence[date]) -> list[date]:
    """Return the days of models that were trained on one of these feature days, or with parameters searched on one."""
    training, search = stages.training, stages.search
    rows = {day: training.row(day) for day in sorted(training.tables[training.name].row_counts())} if days else {}
    searched = {day: search.days_read(day) if search else [] for day in rows}
    return [
        day
        for day, row in rows.items()
        if row["model_digest"]
        and any(row["fit_first"] <= used <= row["validation_last"] or used in searched[day] for used in days)
    ]


def corrections_of(stages: Stages, lake: Lake) -> Corrections:
    """Open the corrections of the rows of a model."""
    return Corrections(lake, rows_feed(stages.features.spec))
