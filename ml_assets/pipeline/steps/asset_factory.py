"""A stage as Dagster assets: run the engine over the run's days, and tell Dagster about each of them."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.engine.run_guard import RunGuard
from ml_assets.pipeline.engine.run_markers import RunMarkers, log_unfinished_runs
from ml_assets.pipeline.engine.stage import DayOutcome, Stage
from ml_assets.pipeline.steps.check_results import CheckRun, events_of, failed_by_day
from ml_assets.pipeline.steps.day_metadata import log_outcomes, of_made_days, outcome_metadata
from ml_assets.pipeline.steps.partition_tags import PARTITION
from ml_assets.pipeline.steps.report_store import Reports, with_outcomes
from ml_assets.pipeline.steps.retries import apply_retry_policy
from ml_assets.pipeline.steps.step_config import step_settings
from ml_assets.pipeline.steps.step_metrics import push_metrics
from ml_assets.resources.observability.json_logs import name_step

if TYPE_CHECKING:
    from ml_assets.core.operations.reports.daily_report import Part

Metadata = Mapping[str, Any]


def _nothing_more(stage: Any, day: date) -> Metadata:
    return {}


def _nothing_afterwards(context: dg.AssetExecutionContext, days: Sequence[date]) -> None:
    pass


def _nothing_instead(context: dg.AssetExecutionContext, days: Sequence[date]) -> None:
    return None


def _no_checks(stage: Any, days: Sequence[date]) -> Iterator[CheckRun]:
    return iter(())


@dataclass(frozen=True)
class StageAssets:
    """How one stage shows in Dagster.

    specs: its assets; the names of their keys' last parts are names of the stage's tables. open: makes the stage from
    the run's context and what stands before what it publishes. problem: why a day is not as it should be, from the
    lake, for days that were not computed now. every_day: metadata of each day. newest_day: metadata of the run's newest
    day only (pictures, lineage). checks, judge: asset checks, and what they find on the run's days. report: what it has
    to say of days in their reports. afterwards: what else follows when the days of a run are made. resources: those it
    needs beside lake and landing. config: what a run may be asked to do otherwise. instead: the events of a run that
    was asked to do something else than to make days of the stage, None for other runs; what follows the stage is left
    out of such a run.
    """

    specs: Sequence[dg.AssetSpec]
    open: Callable[[dg.AssetExecutionContext, RunGuard], Stage]
    problem: Callable[[Any, date], str | None]
    every_day: Callable[[Any, date], Metadata] = _nothing_more
    newest_day: Callable[[Any, date], Metadata] = _nothing_more
    checks: Sequence[dg.AssetCheckSpec] = ()
    evaluate_gates: Callable[[Any, Sequence[date]], Iterator[CheckRun]] = _no_checks
    report: "Callable[[Any, Sequence[date]], Iterator[Part]] | None" = None
    afterwards: Callable[[dg.AssetExecutionContext, Sequence[date]], None] = _nothing_afterwards
    resources: frozenset[str] = frozenset()
    config: type[dg.Config] | None = None
    instead: Callable[[dg.AssetExecutionContext, Sequence[date]], Iterator[Any] | None] = _nothing_instead


def build_stage_assets(spec: ModelSpec, stage_assets: StageAssets) -> dg.AssetsDefinition:
    """The Dagster assets of one stage, daily partitioned, made by one op."""
    main = stage_assets.specs[0].key
    may_be_left_out = len(stage_assets.specs) > 1 or stage_assets.config is not None
    settings = step_settings(spec, main.path[-1])

    @dg.multi_asset(
        name="__".join(main.path),
        specs=[asset.replace_attributes(skippable=may_be_left_out) for asset in stage_assets.specs],
        check_specs=list(stage_assets.checks),
        backfill_policy=_backfill_policy(spec),
        required_resource_keys={"lake", "landing", *stage_assets.resources},
        config_schema=stage_assets.config.to_fields_dict() if stage_assets.config else None,
        op_tags=settings.op_tags,
        # The instance allows one run at a time in a pool.
        pool=settings.pool,
        # A stage makes all its tables, but its assets may be asked for one at a time.
        can_subset=len(stage_assets.specs) > 1,
    )
    def make(context: dg.AssetExecutionContext) -> Iterator[Any]:
        with apply_retry_policy(context, settings, "/".join(main.path)):
            yield from _make(spec, stage_assets, context, RunGuard(context.instance, context.run_id, settings.longest))

    return make


def _make(
    spec: ModelSpec, stage_assets: StageAssets, context: dg.AssetExecutionContext, guard: RunGuard
) -> Iterator[Any]:
    """Make the days of a run, or what it was asked for instead; what was committed is told of also where something
    fails later.
    """
    days = sorted(date.fromisoformat(key) for key in context.partition_keys)
    if (events := stage_assets.instead(context, days)) is not None:
        yield from events
        return
    # To open a stage may complete what others left undone.
    name = stage_assets.specs[0].key.path[-1]
    unfinished = RunMarkers(context.resources.lake, spec.name, name)
    left = unfinished.begin(context.run_id, days)
    log_unfinished_runs(context.log, name, context.run_id, left)
    stage = stage_assets.open(context, guard)
    name_step(spec.name, stage.name, context.run_id)
    outcomes: list[DayOutcome] = []
    told: set[dg.AssetKey] = set()
    try:
        outcomes += make_days(stage, days, context.run_id, _is_single_partition(context.run.tags), guard)
        for event in _tell(
            spec, stage_assets, context, stage, outcomes, {day for theirs in left.values() for day in theirs}
        ):
            yield event
            told |= {event.asset_key} if isinstance(event, dg.MaterializeResult) and event.asset_key else set()
    except Exception:
        yield from of_made_days([asset for asset in stage_assets.specs if asset.key not in told], outcomes)
        raise
    unfinished.end(context.run_id)


def _tell(
    spec: ModelSpec,
    stage_assets: StageAssets,
    context: dg.AssetExecutionContext,
    stage: Stage,
    outcomes: list[DayOutcome],
    left: Collection[date],
) -> Iterator[Any]:
    """Judge the days that are made, and tell Dagster and the reports of them. left: days that runs before did not
    end.
    """
    main, days = stage_assets.specs[0].key, sorted(outcome.day for outcome in outcomes)
    outcomes = sorted(outcomes, key=lambda outcome: outcome.day)
    # What was found when an unchanged day was made still holds.
    problems = {
        found.day: found.problem or (None if found.computed else stage_assets.problem(stage, found.day))
        for found in outcomes
    }
    log_outcomes(context, stage, outcomes, problems)
    found = list(stage_assets.evaluate_gates(stage, days))
    push_metrics(context, spec.name, stage, outcomes, found, lambda: stage_assets.every_day(stage, days[-1]))
    # Before any check can stop the run.
    reports = _report(spec, stage_assets, context, stage, outcomes, found, problems, left)
    stage_assets.afterwards(context, days)
    asked = set(context.selected_asset_check_keys)
    judged = [one for one in found if one.key in asked]
    failed = failed_by_day(judged)
    for asset in stage_assets.specs:
        if asset.key not in context.selected_asset_keys:
            continue
        table = stage.tables[asset.key.path[-1]]
        counts = table.row_counts()
        for outcome in outcomes:
            metadata = outcome_metadata(outcome, counts.get(outcome.day, 0), problems[outcome.day])
            if asset.key == main:
                metadata |= stage_assets.every_day(stage, outcome.day)
                metadata |= {"checks_failed": ", ".join(failed[outcome.day])} if outcome.day in failed else {}
                metadata |= {"report": reports.link(outcome.day)} if reports else {}
            context.add_asset_metadata(metadata, asset.key, outcome.day.isoformat())
        newest = {"dagster/uri": table.uri, **(stage_assets.newest_day(stage, days[-1]) if asset.key == main else {})}
        context.add_asset_metadata(newest, asset.key, days[-1].isoformat())
        yield dg.MaterializeResult(asset_key=asset.key)
        for one in judged:
            if one.asset == asset.key:
                yield from events_of(context, one)


def _report(
    spec: ModelSpec,
    stage_assets: StageAssets,
    context: dg.AssetExecutionContext,
    stage: Stage,
    outcomes: Sequence[DayOutcome],
    judged: Sequence[CheckRun],
    problems: Mapping[date, str | None],
    left: Collection[date],
) -> Reports | None:
    """Write the stage's part of the report of each day that was made now, has a problem, has no part yet, was left by a
    run that did not end, or is the only one of the run.
    """
    if stage_assets.report is None:
        return None
    reports = Reports(spec.name, context.resources.lake)
    days = [outcome.day for outcome in outcomes]
    if len(days) > 1 and not all(outcome.computed for outcome in outcomes):
        reported = reports.days_with(stage.name)
        due = {
            outcome.day
            for outcome in outcomes
            if outcome.computed or outcome.problem or "committed_meanwhile" in outcome.metadata
        }
        days = [day for day in days if day in due or day in left or day not in reported]
    reports.add(with_outcomes(stage_assets.report(stage, days), judged, problems))
    return reports


def _is_single_partition(tags: Mapping[str, str]) -> bool:
    """Whether somebody asked for one day by itself: neither a range nor a backfill, whose last run may have one day."""
    return PARTITION in tags and "dagster/backfill" not in tags


def partitions(spec: ModelSpec) -> dg.DailyPartitionsDefinition:
    """One partition a day in the time zone of the source, from its start to its end or to yesterday."""
    from datetime import timedelta

    end = spec.source.end + timedelta(days=1) if spec.source.end else None
    return dg.DailyPartitionsDefinition(
        start_date=spec.source.start.isoformat(),
        end_date=end.isoformat() if end else None,
        timezone=spec.source.time_zone,
    )


def _backfill_policy(spec: ModelSpec) -> dg.BackfillPolicy:
    if spec.backfill.days_per_run is None:
        return dg.BackfillPolicy.single_run()
    return dg.BackfillPolicy.multi_run(max_partitions_per_run=spec.backfill.days_per_run)
