"""Plans of test worlds, made on a planned lake and compared with what a run computes."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ml_assets.core.tables.day_ranges import days_between
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets.pipeline.graph.stages import open_stages
from ml_assets.pipeline.planning.backfill_plan import UNLESS, Plan, PlannedDay, StagePlan, plan_days
from ml_assets.resources.lake.planned_lake import PlannedLake
from ml_assets_tests.pipeline.world import World, again

ALL = [*LANDED_TO_FEATURES, *MODEL_ASSETS]


def plan_of(world: World, first: date, last: date, names: Sequence[str] = LANDED_TO_FEATURES) -> Plan:
    """Plan some stages for the days from `first` to `last`."""
    lake = PlannedLake(uri=world.lake.uri, s3=world.lake.s3)
    stages = [stage for stage in open_stages(world.spec, lake, world.landing, world.registry) if stage.name in names]
    return plan_days(world.spec, lake, stages, days_between(first, last))


def of_stage(plan: Plan, name: str) -> StagePlan:
    """Return the plan of one stage."""
    (stage_plan,) = [stage for stage in plan.stages if stage.name == name]
    return stage_plan


def planned(plan: Plan, name: str) -> dict[date, PlannedDay]:
    """Return the days of a stage that a plan makes."""
    return {planned_day.day: planned_day for planned_day in of_stage(plan, name).to_make}


def assert_a_run_does_it(world: World, plan: Plan, names: Sequence[str] = LANDED_TO_FEATURES) -> None:
    """Carry out each run of a plan, and compare the days that each stage makes and whether a run fails.

    Only planned days may be made. Those with a note of UNLESS may be left out.
    """
    days = {stage.name: [] for stage in plan.stages}
    for run in plan.runs:
        run_days = set(run)
        fails = any(day in run_days for stage in plan.stages for day, _ in stage.cannot)
        result = world.run(list(names), run[0], run[-1], succeed=not fails)
        for name, made_days in days.items():
            made_days += again(result, name)
    for stage in plan.stages:
        certain = {planned_day.day for planned_day in stage.to_make if planned_day.note not in UNLESS}
        possible = {planned_day.day for planned_day in stage.to_make}
        assert certain <= set(days[stage.name]) <= possible, stage.name


def content(root: Path) -> dict[str, bytes]:
    """Return the content of every file under a folder, by its path."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
