"""A plan as text: the ranges of days of each stage with their reasons, then the runs and the commands to start them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape

from ml_assets.cli.console.estimate_lines import estimate_lines
from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.backfill_estimate import BackfillEstimate
from ml_assets.core.tables.day_ranges import group_days
from ml_assets.core.tables.fingerprint import CHANGED_INPUT
from ml_assets.pipeline.planning.backfill_plan import UNLESS, Plan, PlannedDay, StagePlan

MOST_RANGES, MOST_RUNS, MOST_COMMANDS, MOST_NAMES = 12, 8, 3, 3
NOT_ESTIMATED = BackfillEstimate()
MADE_BEFORE = "its inputs were recomputed or its rows corrected earlier"


def print_plan(
    console: Console, spec: ModelSpec, job: str, plan: Plan, estimate: BackfillEstimate = NOT_ESTIMATED
) -> None:
    """Print each stage with its ranges of days and reasons, the runs, a summary, and the next commands. The length is
    bounded for every plan.

    Args:
        console: the console to print to.
        spec: the model's specification.
        job: the name of the job.
        plan: the plan of the job.
        estimate: its estimated duration and cost.
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
        f"\nRuns  {len(plan.runs)}, {most} (backfill.days_per_run)",
        highlight=False,
        soft_wrap=True,
    )
    for run in plan.runs[:MOST_RUNS]:
        console.print(
            f"  {_range(run):<26}{_count(run):>10}  {plan.days_to_make(run):,} partitions to compute", highlight=False
        )
    if len(plan.runs) > MOST_RUNS:
        console.print(f"  ... and {len(plan.runs) - MOST_RUNS} more")
    failing = [stage.name for stage in plan.stages if stage.failing]
    left_out = sorted({day for stage in plan.stages for day, _ in stage.cannot if day not in stage.failing})
    if left_out:
        console.print(
            f"[yellow]No model is trained of {_count(left_out)}[/] until the days that it reads are computed; see "
            "above for the command.",
            soft_wrap=True,
        )
    if failing:
        console.print(
            f"[red]A run fails at {', '.join(failing)}[/] after it has materialized everything else; "
            "see above for what to materialize first."
        )
    if not busy:
        nothing = "[bold]Nothing to do:[/] every day is up to date."
        console.print("[bold]Nothing to compute.[/]" if failing or left_out else nothing)
        return
    made = [f"{stage.name} {len(stage.to_make)}" for stage in plan.stages if stage.to_make]
    console.print(f"[bold]To compute[/]  {', '.join(made)} days", highlight=False, soft_wrap=True)
    for line in estimate_lines(estimate, spec.compute.prices):
        console.print(line, highlight=False, soft_wrap=True)
    for line in _next_commands(job, days, busy):
        console.print(line, soft_wrap=True, highlight=False)


def stage_lines(stage: StagePlan) -> Iterator[str]:
    """Yield the lines of one stage, in rich's markup."""
    if not stage.to_make:
        amount = "[dim]nothing to compute[/]"
    else:
        amount = f"[bold]{len(stage.to_make)} to compute[/]" + "".join(f", {part}" for part in _amounts(stage))
    yield f"[bold cyan]{stage.name}[/]  {amount}, {len(stage.unchanged)} unchanged"
    planned = {planned_day.day: planned_day for planned_day in stage.to_make}
    cannot, kept = dict(stage.cannot), dict(stage.kept)
    labelled = [(day, (*planned_day.reasons, _note_label(planned_day))) for day, planned_day in planned.items()]
    for label, days in (("cannot be computed", cannot), ("not reached", stage.not_reached), ("kept", kept)):
        labelled += [(day, (label,)) for day in days]
    groups = group_days(sorted(labelled))
    for group in groups[:MOST_RANGES]:
        if group.label == ("cannot be computed",):
            reason = f"[red]cannot be computed:[/] {escape(cannot[group.days[0]])}"
        elif group.label == ("kept",):
            reason = f"stays as it is: {escape(kept[group.days[0]])}"
        elif group.label == ("not reached",):
            reason = "[red]not reached:[/] an earlier stage fails"
        else:
            reason = escape(_join_reasons([planned[day] for day in group.days]))
        yield f"  {_range(group.days):<26}{_count(group.days):>10}  {reason}"
    if rest := groups[MOST_RANGES:]:
        more = count(sum(len(group.days) for group in rest), "more day")
        yield f"  ... and {more} in {count(len(rest), 'range')}"


def _amounts(stage: StagePlan) -> Iterator[str]:
    if (rows := stage.rows()) is not None:
        yield (
            "rows unknown"
            if rows.count is None
            else f"{'' if rows.exact or not rows.count else 'about '}{rows.count:,} rows"
        )
    if (size := stage.size()) is not None:
        yield decimal(size)


def _note_label(planned_day: PlannedDay) -> str:
    """Return the label that keeps days with different kinds of notes in different ranges."""
    if planned_day.note in UNLESS:
        return planned_day.note
    return "note" if planned_day.note else ""


def _join_reasons(days: Sequence[PlannedDay]) -> str:
    """Join the reasons that consecutive days share, with the inputs that changed for any of them."""
    details = {CHANGED_INPUT: _changed_inputs(days)}
    reasons = [f"{reason} ({details[reason]})" if details.get(reason) else reason for reason in days[0].reasons]
    note = f": {days[0].note}" if days[0].note else ""
    return ", ".join(reasons) + note


def _changed_inputs(days: Sequence[PlannedDay]) -> str:
    files = [planned_day.files for planned_day in days if planned_day.files]
    if files:
        kinds = {
            kind: [key for changes in files for key in getattr(changes, kind)]
            for kind in ("new", "removed", "rewritten")
        }
        return "; ".join(f"{kind} {_names(keys)}" for kind, keys in kinds.items() if keys)
    inputs: dict[str, set[date]] = {}
    for planned_day in days:
        for asset, used in planned_day.inputs.items():
            inputs.setdefault(asset, set()).update(used)
    return ", ".join(_days_of_asset(inputs)) or MADE_BEFORE


def _days_of_asset(inputs: Mapping[str, Iterable[date]]) -> Iterator[str]:
    for asset, days in inputs.items():
        ranges = group_days((day, None) for day in sorted(days))
        yield f"{asset} of {_names([_range(group.days) for group in ranges])}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _range(days: Sequence[date]) -> str:
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _count(days: Sequence[date]) -> str:
    return count(len(days), "day")


def _next_commands(job: str, days: Sequence[date], runs: Sequence[Sequence[date]]) -> Iterator[str]:
    yield f"\nTo do it: `ml-assets ui`, page of the job [bold]{job}[/], Materialize all, {_range(days)}."
    yield "Or in the folder of the project, in a shell that has `dg` and DAGSTER_HOME:"
    for run in runs[:MOST_COMMANDS]:
        yield f"  dg launch --job {job} --partition-range {run[0]}...{run[-1]}"
    if len(runs) > MOST_COMMANDS:
        yield f"  ... and so on, run after run ({len(runs) - MOST_COMMANDS} more)"
