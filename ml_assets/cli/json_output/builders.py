"""Builders of the JSON documents whose figures come from several places."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ml_assets.cli.json_output.plan_reports import (
    DayReason,
    EstimateReport,
    PlannedDayReport,
    PlannedRun,
    PlanReport,
    StageReport,
)
from ml_assets.cli.json_output.reports import (
    GateVerdict,
    MetricValue,
    ReleaseReport,
    ReleasesReport,
    RunReport,
    VersionReport,
)
from ml_assets.core.checks.outcome import Severity
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.backfill_estimate import BackfillEstimate
from ml_assets.core.release.ledger_rows import moves_of
from ml_assets.core.release.release_state import Release, Version
from ml_assets.pipeline.asset_names import PREDICTIONS, VALIDATED
from ml_assets.pipeline.graph.stages import Stages
from ml_assets.pipeline.planning.backfill_plan import Plan, StagePlan
from ml_assets.pipeline.steps.report_store import Reports

if TYPE_CHECKING:
    from ml_assets.cli.needed_days import Needed


def build_run_report(
    spec: ModelSpec,
    needed: "Needed",
    stages: Stages,
    stage_seconds: Mapping[str, float],
    seconds: float,
    differences: Sequence[str],
) -> RunReport:
    """Read the figures of the main job from what is committed in the lake and the registry.

    Args:
        spec: the model's specification.
        needed: the days that were needed.
        stages: the stages, opened after the work.
        stage_seconds: seconds of each stage that ran.
        seconds: seconds of the whole command.
        differences: how MLflow and the deploy target differ from the release ledger.
    """
    day, published = needed.model_day(stages), stages.validation.tables[VALIDATED].row_counts()
    model, live = stages.training.row(day), stages.predictions.live(needed.newest)
    has_model = bool(model["model_digest"])
    overall = stages.evaluation.overall(day).set_index("metric").to_dict("index") if has_model else {}
    entry = (stages.registration.entry(day) or {}) if has_model else {}
    pages = Reports(spec.name, stages.training.lake)
    outcomes = pages.report(day).outcomes
    reasons: dict[Severity, dict[str, str]] = {"error": {}, "warn": {}}
    for outcome in outcomes:
        if outcome.failed:
            reasons[outcome.severity][outcome.check] = outcome.reason
    return RunReport(
        model=spec.name,
        day=needed.newest,
        model_day=day,
        first_day=needed.landed[0],
        days=len(needed.landed),
        is_up_to_date=not needed.to_do,
        rows_published=sum(published.get(landed, 0) for landed in needed.landed),
        rows_quarantined=stages.validation.count_quarantined_rows(needed.landed),
        model_digest=model["model_digest"] or None,
        problem=stages.training.gate.reason(day) or (None if has_model else model["problem"]),
        metrics={
            name: MetricValue(value=row["value"], low=row["low"], high=row["high"]) for name, row in overall.items()
        },
        gates=[
            GateVerdict(gate=result.gate, passed=result.passed, severity=result.severity, reason=result.reason)
            for result in (stages.evaluation.gate_results(day) if has_model else [])
        ],
        registered_version=entry.get("version"),
        why_not_registered=stages.registration.why_not_registered(day) if has_model else "there is no model",
        champion=str(live.champion) if live.champion else None,
        challenger=str(live.challenger) if live.challenger else None,
        percent=live.percent,
        rows_scored=stages.predictions.tables[PREDICTIONS].row_counts().get(needed.newest, 0),
        why_not_scored=stages.predictions.why_not_scored(needed.newest),
        differences=list(differences),
        checks_passed=sum(outcome.passed is True for outcome in outcomes),
        checks_not_evaluated=sum(outcome.passed is None for outcome in outcomes),
        check_errors=reasons["error"],
        check_warnings=reasons["warn"],
        page=pages.uri(day) if pages.has_page(day) else None,
        stage_seconds={name: round(took, 3) for name, took in stage_seconds.items()},
        seconds=round(seconds, 3),
    )


def build_plan_report(spec: ModelSpec, job: str, plan: Plan, estimate: BackfillEstimate) -> PlanReport:
    """Describe a plan.

    Args:
        spec: the model's specification.
        job: the name of the job.
        plan: the plan of the job.
        estimate: its estimated duration and cost.
    """
    runs = [PlannedRun(first_day=run[0], last_day=run[-1], days_to_make=plan.days_to_make(run)) for run in plan.runs]
    return PlanReport(
        model=spec.name,
        job=job,
        runs=runs,
        stages=[_stage(stage) for stage in plan.stages],
        estimate=_estimate(spec, estimate) if estimate.stages else None,
    )


def _estimate(spec: ModelSpec, estimate: BackfillEstimate) -> EstimateReport:
    prices = spec.compute.prices
    return EstimateReport(
        seconds=round(estimate.seconds, 1),
        cpu_hours=round(estimate.cpu_hours, 4),
        gpu_hours=round(estimate.gpu_hours, 4),
        memory_peak=estimate.memory_peak,
        cost=estimate.cost(prices),
        currency=prices.currency if prices else None,
        unmeasured=list(estimate.unmeasured),
    )


def build_releases_report(
    model: str,
    rows: Sequence[Mapping[str, Any]],
    deployed: Mapping[str, Any] | None,
    target: str,
    problems: Sequence[str],
) -> ReleasesReport:
    """Describe the ledger and the live versions.

    Args:
        model: name of the model.
        rows: the rows of the ledger, in the order of the releases.
        deployed: the metadata of the deploy target; None when it is empty.
        target: location of the deploy target.
        problems: differences from the ledger that could not be removed.
    """
    moves = moves_of(rows)
    at: dict[int, datetime] = {
        number: next(iter(group))["at"] for number, group in groupby(rows, key=lambda row: row["release"])
    }
    state = moves[-1].after if moves else Release()
    return ReleasesReport(
        model=model,
        champion=_version(state.champion),
        challenger=_version(state.challenger),
        previous=_version(state.previous),
        percent=state.percent,
        is_paused=state.paused,
        deployed_version=deployed["version"] if deployed else None,
        target=target,
        differences=list(problems),
        releases=[
            ReleaseReport(
                release=move.after.number,
                day=move.day,
                at=at[move.after.number],
                actor=move.actor,
                action=move.action,
                champion=move.after.champion.number if move.after.champion else None,
                challenger=move.after.challenger.number if move.after.challenger else None,
                percent=move.after.percent,
                reason=move.reason,
                metrics=dict(move.metrics),
            )
            for move in moves
        ],
    )


def _version(version: Version | None) -> VersionReport | None:
    return VersionReport(version=version.number, digest=version.digest, day=version.day) if version else None


def _stage(stage: StagePlan) -> StageReport:
    rows = stage.rows()
    return StageReport(
        stage=stage.name,
        to_make=[PlannedDayReport(day=day.day, reasons=list(day.reasons), note=day.note) for day in stage.to_make],
        unchanged=len(stage.unchanged),
        kept=[DayReason(day=day, reason=reason) for day, reason in stage.kept],
        cannot=[DayReason(day=day, reason=reason) for day, reason in stage.cannot],
        not_reached=list(stage.not_reached),
        rows=rows.count if rows is not None else None,
        bytes=stage.size(),
    )
