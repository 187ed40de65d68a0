"""Repair of what is in quarantine: corrected rows checked and kept, and the days that have to be made again, found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

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

MOST_FAULTS = 20


@dataclass(frozen=True)
class CheckedFile:
    """A file of corrected rows without faults: the days of its rows, and of each day the corrections that are not there
    yet.
    """

    days: list[date]
    corrections: Mapping[date, Sequence[Correction]] = field(default_factory=dict)

    def rows(self) -> int:
        """The number of corrections that are not there yet."""
        return sum(map(len, self.corrections.values()))


def check_file(stages: Stages, corrections: Corrections, name: str, content: bytes) -> CheckedFile:
    """Check every row of a file of corrected rows, a day at a time.

    Raises:
        RepairRefused: when anything is wrong; names up to 20 faults with row, column and rule.
    """
    feed = stages.validation.feed
    days, faults = by_day(read_repair_file(feed, name, content))
    found = {}
    for day, rows in days.items():
        raw, objects = (stages.ingestion.tables[table].read([day]) for table in (feed.raw, feed.objects))
        checked = check_day(feed, day, raw, objects, corrections.read(day), rows)
        faults += checked.problems
        if checked.corrections:
            found[day] = checked.corrections
    if faults:
        more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise RepairRefused(
            "\n".join(
                [
                    f"{name}: {len(faults)} faults, nothing was changed; correct the rows, or take them out",
                    *faults[:MOST_FAULTS],
                    *more,
                ]
            )
        )
    return CheckedFile([*days], found)


def keep_corrections(corrections: Corrections, checked: CheckedFile) -> None:
    """Write the corrections that are not there yet, one file a day, behind those that the day has."""
    files = {}
    for day, found in checked.corrections.items():
        newest = max(map(number_of, corrections.read(day)), default=0)
        files[day] = correction_file(newest + 1, found)
    corrections.write(files)


def days_to_validate(stages: Stages, days: Sequence[date]) -> list[date]:
    """Of some days, those of validated_data that are not as they would be made now."""
    return [day for day in days if _is_stale(stages.validation, day)]


def feature_days_to_make(stages: Stages, days: Sequence[date]) -> list[date]:
    """The feature days that see some days, were made before, and are not as they would be made now."""
    from ml_assets.core.features.point_in_time import days_read

    seeing = {day + timedelta(days=offset) for day in days for offset in days_read(stages.features.spec)}
    return [day for day in sorted(seeing) if is_committed(stages.features, day) and _is_stale(stages.features, day)]


def _is_stale(stage: Stage, day: date) -> bool:
    try:
        return not is_current(stage, day)
    except CannotMake:
        return False


def days_of_changed_rules(plan: Plan) -> dict[str, list[date]]:
    """By stage, the days that a plan makes because code or specification changed, and those that read such days."""
    found: dict[str, list[date]] = {}
    for stage in plan.stages:
        found[stage.name] = [
            one.day
            for one in stage.to_make
            if {CHANGED_CODE, CHANGED_SPEC} & set(one.reasons)
            or any(used in found.get(asset, ()) for asset, days in one.inputs.items() for used in days)
        ]
    return {name: days for name, days in found.items() if days}


def models_that_saw(stages: Stages, days: Sequence[date]) -> list[date]:
    """The days of the models in the lake that were trained on one of these feature days, or with parameters that were
    searched on one of them.
    """
    training, search = stages.training, stages.search
    rows = {day: training.row(day) for day in sorted(training.tables[training.name].row_counts())} if days else {}
    searched = {day: search.days_read(day) if search else [] for day in rows}
    return [
        day
        for day, row in rows.items()
        if row["model_digest"]
        and any(row["fit_first"] <= seen <= row["validation_last"] or seen in searched[day] for seen in days)
    ]


def corrections_of(stages: Stages, lake: Lake) -> Corrections:
    """The corrections of the rows of a model."""
    return Corrections(lake, rows_feed(stages.features.spec))
