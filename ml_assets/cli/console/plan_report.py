"""A plan as text: for each stage the days to make in ranges that share a reason, then the runs, and how to start
them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.day_ranges import neighbours
from ml_assets.core.tables.fingerprint import CHANGED_INPUT
from ml_assets.pipeline.planning.backfill_plan import UNLESS, Plan, PlannedDay, StagePlan
from ml_assets.pipeline.steps.partition_tags import range_tags

MOST_RANGES, MOST_RUNS, MOST_COMMANDS, MOST_NAMES = 12, 8, 3, 3
MADE_BEFORE = "its inputs were made again, or its rows corrected, before"


def print_plan(console: Console, spec: ModelSpec, job: str, plan: Plan) -> None:
    """Each stage with its ranges of days and reasons, the runs, a summary, and what to do next. The length is bounded,
    whatever the plan.

    Args:
        console: where to print.
        spec: the model's specification.
        job: the name of the job.
        plan: what it will do.
    """
    days = [day for run in plan.runs for day in run]
    console.print(
        f"[bold]{job}[/], {_range(days)}, {_count(days)}. A plan: nothing was changed.\n",
        soft_wrap=True,
        highlight=False,
    )
    for stage in plan.stages:
        for line in stage_lines(stage):
            console.print(line, soft_wrap=True, highlight=False)
    busy = [run for run in plan.runs if plan.days_to_make(run)]
    most = f"at most {spec.backfill.days_per_run} days each" if spec.backfill.days_per_run else "all days in one"
    console.print(
        f"\nRuns  {len(plan.runs)}, {most} (backfill.days_per_run); planned as one after the other",
        highlight=False,
        soft_wrap=True,
    )
    for run in plan.runs[:MOST_RUNS]:
        console.print(
            f"  {_range(run):<26}{_count(run):>10}  {plan.days_to_make(run):,} days of assets to make", highlight=False
        )
    if len(plan.runs) > MOST_RUNS:
        console.print(f"  ... and {len(plan.runs) - MOST_RUNS} more")
    failing = [stage.name for stage in plan.stages if stage.cannot]
    if failing:
        console.print(
            f"[red]A run fails at {', '.join(failing)}[/] after it has made what can be made; see above for what to make first."
        )
    if not busy:
        console.print(
            "[bold]Nothing to make.[/]" if failing else "[bold]Nothing to do:[/] every day is as it would be made now."
        )
        return
    made = [f"{stage.name} {len(stage.to_make)}" for stage in plan.stages if stage.to_make]
    console.print(f"[bold]To make[/]  {', '.join(made)} days", highlight=False, soft_wrap=True)
    for line in _what_to_do(job, days, busy):
        console.print(line, soft_wrap=True, highlight=False)


def stage_lines(stage: StagePlan) -> Iterator[str]:
    """The lines of one stage, in rich's markup."""
    if not stage.to_make:
        amount = "[dim]nothing to make[/]"
    else:
        amount = f"[bold]{len(stage.to_make)} to make[/]" + "".join(f", {part}" for part in _amounts(stage))
    yield f"[bold cyan]{stage.name}[/]  {amount}, {len(stage.unchanged)} unchanged"
    planned = {one.day: one for one in stage.to_make}
    cannot, kept = dict(stage.cannot), dict(stage.kept)
    labelled = [
        (one.day, (*one.reasons, one.note if one.note in UNLESS else "note" if one.note else ""))
        for one in stage.to_make
    ]
    labelled += [(day, ("cannot be made",)) for day in cannot] + [(day, ("not reached",)) for day in stage.not_reached]
    labelled += [(day, ("kept",)) for day in kept]
    groups = neighbours(sorted(labelled))
    for group in groups[:MOST_RANGES]:
        if group.label == ("cannot be made",):
            why = f"[red]cannot be made:[/] {escape(cannot[group.days[0]])}"
        elif group.label == ("kept",):
            why = f"stays as it is: {escape(kept[group.days[0]])}"
        elif group.label == ("not reached",):
            why = "[red]not reached:[/] a stage before it fails"
        else:
            why = escape(_why([planned[day] for day in group.days]))
        yield f"  {_range(group.days):<26}{_count(group.days):>10}  {why}"
    if rest := groups[MOST_RANGES:]:
        yield f"  ... and {sum(len(group.days) for group in rest)} more days in {len(rest)} ranges"


def _amounts(stage: StagePlan) -> Iterator[str]:
    if (rows := stage.rows()) is not None:
        yield (
            "rows unknown"
            if rows.count is None
            else f"{'' if rows.exact or not rows.count else 'about '}{rows.count:,} rows"
        )
    if (size := stage.size()) is not None:
        yield decimal(size)


def _why(days: Sequence[PlannedDay]) -> str:
    """The reasons that neighbouring days share, with what changed for them together."""
    details = {CHANGED_INPUT: _changed_inputs(days)}
    said = [f"{reason} ({details[reason]})" if details.get(reason) else reason for reason in days[0].reasons]
    note = f": {days[0].note}" if days[0].note else ""
    return ", ".join(said) + note


def _changed_inputs(days: Sequence[PlannedDay]) -> str:
    files = [one.files for one in days if one.files]
    if files:
        kinds = {
            kind: [key for changes in files for key in getattr(changes, kind)]
            for kind in ("new", "removed", "rewritten")
        }
        return "; ".join(f"{kind} {_names(keys)}" for kind, keys in kinds.items() if keys)
    inputs: dict[str, set[date]] = {}
    for one in days:
        for asset, used in one.inputs.items():
            inputs.setdefault(asset, set()).update(used)
    return ", ".join(_days_of_asset(inputs)) or MADE_BEFORE


def _days_of_asset(inputs: Mapping[str, Iterable[date]]) -> Iterator[str]:
    for asset, days in inputs.items():
        ranges = neighbours((day, None) for day in sorted(days))
        yield f"{asset} of {_names([_range(one.days) for one in ranges])}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _range(days: Sequence[date]) -> str:
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _count(days: Sequence[date]) -> str:
    return f"{len(days)} day{'s' if len(days) > 1 else ''}"


def _what_to_do(job: str, days: Sequence[date], runs: Sequence[Sequence[date]]) -> Iterator[str]:
    yield f"\nTo do it: `make ui`, page of the job [bold]{job}[/], Materialize all, {_range(days)}."
    yield 'Or here, in a shell after `eval "$(make env)"`:'
    for run in runs[:MOST_COMMANDS]:
        tags = json.dumps(range_tags(run[0], run[-1]))
        yield escape(f"  dagster job execute -m ml_assets.definitions -j {job} --tags '{tags}'")
    if len(runs) > MOST_COMMANDS:
        yield f"  ... and so on, run after run ({len(runs) - MOST_COMMANDS} more)"
