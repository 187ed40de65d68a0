"""The assets deployment and predictions of a model."""

import dagster as dg

from ml_assets.core.releases import Move, Release
from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline import live_columns, live_reports
from ml_assets.pipeline.asset_specs import asset, asset_key, depends, paragraph, schema
from ml_assets.pipeline.deployment import DEPLOYMENT, RUN, ModelDeployment
from ml_assets.pipeline.features import FEATURES
from ml_assets.pipeline.predictions import PREDICTIONS, DailyPredictions
from ml_assets.pipeline.registry import ENTRY
from ml_assets.pipeline.rollback_check import judge_rollbacks, rollback_check
from ml_assets.pipeline.run_guard import RunGuard
from ml_assets.pipeline.stage_assets import StageAssets
from ml_assets.pipeline.validation import LABELS

GROUP = "deployment"


def deployment_assets(spec: ModelSpec) -> StageAssets:
    """How the stage deployment shows in Dagster."""
    key, canary = asset_key(spec, DEPLOYMENT), spec.deployment.canary
    seen = canary.maximum_days.days * len(canary.steps) if canary else 0

    def open_stage(context: dg.AssetExecutionContext, guard: RunGuard) -> ModelDeployment:
        from ml_assets.resources.releases import Releases

        resources = context.resources
        releases = Releases(resources.lake, resources.registry, resources.deploy_target, spec.name)
        # What a run that died has put into the ledger is carried out first.
        releases.state()

        def release(before: Release, move: Move) -> None:
            guard.before_publishing()
            releases.release(before, move)

        return ModelDeployment(spec, resources.lake, resources.landing, release, f"{RUN}{context.run_id}")

    rows = [depends(spec, FEATURES, seen), *([depends(spec, LABELS, seen)] if spec.labels else [])] if canary else []
    return StageAssets(
        [
            asset(
                spec,
                DEPLOYMENT,
                paragraph(ModelDeployment),
                GROUP,
                {"deltalake", "mlflow"},
                [depends(spec, ENTRY), *rows],
                **schema(live_columns.deployment_columns()),
            )
        ],
        open=open_stage,
        problem=lambda stage, day: None,
        every_day=live_reports.deployment_metadata,
        newest_day=live_reports.deployment_pictures,
        checks=rollback_check(spec, key),
        judge=lambda stage, days: judge_rollbacks(spec, stage, days, key),
        report=live_reports.deployment_parts,
        resources=frozenset({"registry", "deploy_target"}),
    )


def predictions_assets(spec: ModelSpec) -> StageAssets:
    """How the stage predictions shows in Dagster."""
    lineage = live_columns.predictions_lineage(spec, asset_key(spec, FEATURES))
    return StageAssets(
        [
            asset(
                spec,
                PREDICTIONS,
                paragraph(DailyPredictions),
                GROUP,
                {"deltalake", "xgboost"},
                [depends(spec, DEPLOYMENT), depends(spec, FEATURES)],
                **schema(live_columns.predictions_columns(spec)),
            )
        ],
        open=lambda context, guard: DailyPredictions(spec, context.resources.lake),
        problem=lambda stage, day: stage.problem(day),
        every_day=live_reports.predictions_metadata,
        newest_day=lambda stage, day: {"dagster/column_lineage": lineage, **live_reports.predictions_pictures(stage, day)},
        report=live_reports.predictions_parts,
    )
