"""The assets deployment and predictions of a model."""

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import Move, Release
from ml_assets.pipeline.asset_names import DEPLOYMENT, ENTRY, FEATURES, LABELS, PREDICTIONS, asset_key
from ml_assets.pipeline.engine.run_guard import RunGuard
from ml_assets.pipeline.graph import release_column_schemas as release_columns
from ml_assets.pipeline.graph.asset_specs import asset, depends, paragraph, schema
from ml_assets.pipeline.release import report as release_report
from ml_assets.pipeline.release.deployment_stage import RUN, ModelDeployment
from ml_assets.pipeline.release.predictions_stage import DailyPredictions
from ml_assets.pipeline.release.rollback_check import evaluate_rollbacks, rollback_check
from ml_assets.pipeline.steps.asset_factory import StageAssets

GROUP = "deployment"


def deployment_assets(spec: ModelSpec) -> StageAssets:
    """How the stage deployment shows in Dagster."""
    key, canary = asset_key(spec, DEPLOYMENT), spec.deployment.canary
    seen = canary.maximum_days.days * len(canary.steps) if canary else 0

    def open_stage(context: dg.AssetExecutionContext, guard: RunGuard) -> ModelDeployment:
        from ml_assets.resources.release.releases import Releases

        resources = context.resources
        releases = Releases(resources.lake, resources.registry, resources.deploy_target, spec.name)
        # What a run that died has put into the ledger is carried out first.
        releases.state()

        def release(before: Release, move: Move) -> None:
            guard.check_before_publishing()
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
                **schema(release_columns.deployment_columns()),
            )
        ],
        open=open_stage,
        problem=lambda stage, day: None,
        every_day=release_report.deployment_metadata,
        newest_day=release_report.deployment_plots,
        checks=rollback_check(spec, key),
        evaluate_gates=lambda stage, days: evaluate_rollbacks(spec, stage, days, key),
        report=release_report.deployment_parts,
        resources=frozenset({"registry", "deploy_target"}),
    )


def predictions_assets(spec: ModelSpec) -> StageAssets:
    """How the stage predictions shows in Dagster."""
    lineage = release_columns.predictions_lineage(spec, asset_key(spec, FEATURES))
    return StageAssets(
        [
            asset(
                spec,
                PREDICTIONS,
                paragraph(DailyPredictions),
                GROUP,
                {"deltalake", "xgboost"},
                [depends(spec, DEPLOYMENT), depends(spec, FEATURES)],
                **schema(release_columns.predictions_columns(spec)),
            )
        ],
        open=lambda context, guard: DailyPredictions(spec, context.resources.lake),
        problem=lambda stage, day: stage.problem(day),
        every_day=release_report.predictions_metadata,
        newest_day=lambda stage, day: {
            "dagster/column_lineage": lineage,
            **release_report.predictions_plots(stage, day),
        },
        report=release_report.predictions_parts,
    )
