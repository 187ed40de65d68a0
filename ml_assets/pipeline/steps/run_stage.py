"""One run of a step: computes the days of its stage, then reports each to Dagster and in the daily reports."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.engine.run_guard import RunGuard
from ml_assets.pipeline.engine.run_markers import RunMarkers, log_unfinished_runs
from ml_assets.pipeline.engine.stage import DayOutcome, Stage
from ml_assets.pipeline.observability.step_costs import record_costs
from ml_assets.pipeline.observability.step_lineage import COLUMN_LINEAGE, StepLineage, report_lineage
from ml_assets.pipeline.steps.check_results import check_events, failed_by_day
from ml_assets.pipeline.steps.chunk_pool import chunk_settings
from ml_assets.pipeline.steps.day_metadata import (
    data_versions,
    log_outcomes,
    materializations_of_days,
    outcome_metadata,
)
from ml_assets.pipeline.steps.flagged_inputs import name_flagged_inputs
from ml_assets.pipeline.steps.kept_checks import KeptChecks, add_kept_outcomes, changed_days
from ml_assets.pipeline.steps.partition_tags import days_of, is_single_partition
from ml_assets.pipeline.steps.report_store import Reports, with_outcomes
from ml_assets.pipeline.steps.stage_step import StageStep
from ml_assets.pipeline.steps.step_metrics import push_metrics
from ml_assets.resources.observability.json_logs import set_step_fields
from ml_assets.resources.observability.usage import UsageMeter

if TYPE_CHECKING:
    from ml_assets.core.operations.reports.daily_report import Part
    from ml_assets.resources.lake.lake import Lake

FIRST = ("outcome", "problem")


def days_of_run(step: StageStep, context: dg.AssetExecutionContext) -> list[date]:
    """List the days of a run, ascending: its partitions, or, for checks alone, the newest day with rows.

    Dagster's UI executes checks without a partition, and launches a run with any partition in its tags.

    Raises:
        dagster.Failure: if a day has not begun yet, the run has no partition and makes assets, or no day has rows.
    """
    main = step.asset_specs[0].key
    if days_of(context.run.tags):
        days = sorted(date.fromisoformat(key) for key in context.partition_keys)
        today = datetime.now(ZoneInfo(step.spec.source.time_zone)).date()
        if days[-1] > today:
            # A decision on the release would be the newest one until that day.
            raise dg.Failure(
                f"{main.to_user_string()}: {days[-1]} has not begun yet. Choose days before {today}",
                allow_retries=False,
            )
        return days
    if context.selected_asset_keys:
        raise dg.Failure(
            f"{main.to_user_string()}: the run has no partition. Choose days with Materialize all on the page of the "
            f"job, or launch it with --partition or --partition-range",
            allow_retries=False,
        )
    lake: Lake = context.resources.lake
    if not (with_rows := lake.bytes_by_day(step.spec.name, main.path[-1])):
        raise dg.Failure(f"{main.to_user_string()}: its checks need rows. Materialize a day first", allow_retries=False)
    return [max(with_rows)]


def run_stage(step: StageStep, context: dg.AssetExecutionContext, guard: RunGuard) -> Iterator[Any]:
    """Make the days of a run and report them; committed days are reported even if something fails later.

    Yields:
        A materialization of each selected asset, and the results of its selected checks.
    """
    days = days_of_run(step, context)
    name = step.asset_specs[0].key.path[-1]
    meter = UsageMeter()
    with report_lineage(context, step.spec, step.asset_specs, days) as lineage:
        markers = RunMarkers(context.resources.lake, step.spec.name, name)
        unfinished = markers.begin(context.run_id, days)
        log_unfinished_runs(context.log, name, context.run_id, unfinished)
        # Opening a stage may complete what earlier runs did not finish.
        with step.open(context, guard) as stage:
            set_step_fields(step.spec.name, stage.name, context.run_id)
            lineage.stage = stage
            try:
                yield from _make_and_report(step, context, guard, stage, days, unfinished, lineage)
            finally:
                record_costs(context, step.spec, stage, lineage.outcomes, meter)
        markers.end(context.run_id)


def _make_and_report(
    step: StageStep,
    context: dg.AssetExecutionContext,
    guard: RunGuard,
    stage: Stage,
    days: Sequence[date],
    unfinished: Mapping[str, Sequence[date]],
    lineage: StepLineage,
) -> Iterator[Any]:
    outcomes = lineage.outcomes
    materialized: set[dg.AssetKey] = set()
    try:
        is_single = is_single_partition(context.run.tags)
        chunks = chunk_settings(step.spec, stage.name, context.log.info)
        outcomes += make_days(stage, days, context.run_id, is_single, guard, chunks)
        unfinished_days = {day for run_days in unfinished.values() for day in run_days}
        for event in _report_days(step, context, stage, outcomes, unfinished_days, lineage):
            yield event
            materialized |= {event.asset_key} if isinstance(event, dg.MaterializeResult) and event.asset_key else set()
    except Exception:
        yield from materializations_of_days(
            [asset for asset in step.asset_specs if asset.key not in materialized], stage, outcomes
        )
        raise


def _report_days(
    step: StageStep,
    context: dg.AssetExecutionContext,
    stage: Stage,
    outcomes: Sequence[DayOutcome],
    unfinished_days: Collection[date],
    lineage: StepLineage,
) -> Iterator[Any]:
    """Evaluate the checks of the days that are computed, and tell Dagster and the daily reports.

    An unchanged day keeps the outcomes in its report, unless something else that they depend on changed.
    """
    main = step.asset_specs[0].key
    outcomes = sorted(outcomes, key=lambda outcome: outcome.day)
    days = [outcome.day for outcome in outcomes]
    reports = Reports(step.spec.name, context.resources.lake)
    checks = KeptChecks(reports, stage.name, step.spec, step.check_modules)
    kept = _read_kept_parts(step, stage, outcomes, unfinished_days, checks)
    changed = [day for day in days if day not in kept]
    # The problem of an unchanged day still holds.
    problems = {
        outcome.day: outcome.problem or (None if outcome.computed else _problem(step, stage, outcome.day, kept))
        for outcome in outcomes
    }
    log_outcomes(context, stage, outcomes, problems)
    evaluated = list(step.evaluate_checks(stage, changed, days[-1])) if changed else []
    runs = step.complete_checks(stage, days, changed, add_kept_outcomes(step.check_specs, evaluated, kept))
    check_runs = name_flagged_inputs(runs, lambda day: step.days_read_by_checks(stage, day), reports)
    push_metrics(context, step.spec.name, stage, outcomes, check_runs, lambda: step.metadata(stage, days[-1]))
    written = sorted({*changed, *changed_days(kept, check_runs)}) if step.is_reported else []
    if written:
        # A failed check may stop the run, so the reports are written before its result is yielded.
        inputs = {day: checks.digest(step.check_inputs(stage, day), day == days[-1]) for day in written}
        reports.add(with_outcomes(step.report_parts(stage, written), check_runs, problems, inputs))
    step.after_days(context, stage, days, changed if step.is_reported else days)
    selected = [run for run in check_runs if run.key in context.selected_asset_check_keys]
    failed = failed_by_day(selected)
    for asset in step.asset_specs:
        if asset.key in context.selected_asset_keys:
            table = stage.tables[asset.key.path[-1]]
            counts = table.row_counts()
            for outcome in outcomes:
                figures = outcome_metadata(outcome, counts.get(outcome.day, 0), problems[outcome.day])
                # Dagster's UI keeps the order, so the metadata that people look for comes first, such as the plots of
                # the newest day.
                metadata = {name: figures.pop(name) for name in FIRST if name in figures}
                if asset.key == main:
                    metadata |= {"checks_failed": ", ".join(failed[outcome.day])} if outcome.day in failed else {}
                    metadata |= step.metadata(stage, outcome.day)
                    metadata |= {"report": reports.link(outcome.day)} if step.is_reported else {}
                    metadata |= step.newest_metadata(stage, outcome.day) if outcome.day == days[-1] else {}
                    lineage.column_lineage = metadata.get(COLUMN_LINEAGE, lineage.column_lineage)
                metadata |= figures | ({"dagster/uri": table.uri} if outcome.day == days[-1] else {})
                context.add_asset_metadata(metadata, asset.key, outcome.day.isoformat())
            versions = data_versions(table, days)
            context.set_data_version(asset.key, versions)
            yield dg.MaterializeResult(asset_key=asset.key, data_version=versions)
        # Also for assets that are not selected, because checks may run alone.
        for run in selected:
            if run.asset == asset.key:
                yield from check_events(context, run)


def _read_kept_parts(
    step: StageStep,
    stage: Stage,
    outcomes: Sequence[DayOutcome],
    unfinished_days: Collection[date],
    checks: KeptChecks,
) -> "dict[date, Part]":
    """Read the report of each day that was not computed now, has the same problem as before, belongs to no unfinished
    run, and whose checks need no evaluation.
    """
    kept = {}
    for outcome in outcomes if step.is_reported else ():
        if outcome.computed or "committed_meanwhile" in outcome.metadata or outcome.day in unfinished_days:
            continue
        inputs = step.check_inputs(stage, outcome.day)
        part = checks.part(outcome.day, inputs, outcome.day == outcomes[-1].day)
        if part and (outcome.problem is None or outcome.problem == part.problem):
            kept[outcome.day] = part
    return kept


def _problem(step: StageStep, stage: Stage, day: date, kept: "Mapping[date, Part]") -> str | None:
    return kept[day].problem if day in kept else step.problem(stage, day)
