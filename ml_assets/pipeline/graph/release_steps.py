"""The steps that release a model and score with it: deployment and predictions."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from typing import Any

import dagster as dg

from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.core.release.release_state import Move, Release
from ml_assets.pipeline.asset_names import (
    DEPLOYMENT,
    ENTRY,
    FEATURES,
    LABELS,
    PREDICTION_QUALITY,
    PREDICTIONS,
    asset_key,
)
from ml_assets.pipeline.engine.run_guard import RunGuard
from ml_assets.pipeline.graph import column_schemas, release_column_schemas
from ml_assets.pipeline.graph.asset_specs import asset, depends, paragraph, schema, schema_below_figures
from ml_assets.pipeline.graph.stages import builder_of
from ml_assets.pipeline.monitoring.quality_stage import quality_table
from ml_assets.pipeline.release import report
from ml_assets.pipeline.release.dashboard import update_dashboard
from ml_assets.pipeline.release.deployment_stage import RUN, ModelDeployment
from ml_assets.pipeline.release.predictions_stage import DailyPredictions
from ml_assets.pipeline.release.rollback_check import evaluate_rollbacks, rollback_check
from ml_assets.pipeline.release.targets_check import TARGETS_IN_LINE, evaluate_targets, targets_check
from ml_assets.pipeline.steps.check_results import CheckRun
from ml_assets.pipeline.steps.report_store import Reports
from ml_assets.pipeline.steps.stage_step import StageStep

GROUP = "deployment"


class DeploymentStep(StageStep[ModelDeployment]):
    """deployment."""

    resources = frozenset({"registry", "deploy_target"})

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The decision of a day."""
        spec, canary = self.spec, self.spec.deployment.canary
        longest = canary.maximum_days.days * len(canary.steps) if canary else 0
        labels = [depends(spec, LABELS, longest)] if spec.labels else []
        rows = [depends(spec, FEATURES, longest), *labels] if canary else []
        deps = [depends(spec, ENTRY), *rows]
        metadata = schema_below_figures(release_column_schemas.deployment_columns())
        kinds = {"deltalake", "mlflow"}
        return [asset(spec, DEPLOYMENT, paragraph(ModelDeployment), GROUP, kinds, deps, **metadata)]

    @property
    def check_specs(self) -> Sequence[dg.AssetCheckSpec]:
        """The checks that no canary was rolled back, and that MLflow and the deploy target follow the ledger."""
        key = asset_key(self.spec, DEPLOYMENT)
        return [*rollback_check(self.spec, key), targets_check(key)]

    def build(self, context: dg.AssetExecutionContext) -> ModelDeployment:
        """Build the stage read-only: it does not release."""
        return builder_of(self.spec, context).deployment()

    @contextmanager
    def open(self, context: dg.AssetExecutionContext, guard: RunGuard) -> Iterator[ModelDeployment]:
        """Build the stage for a run; it carries out releases."""
        from ml_assets.resources.release.releases import Releases

        resources = context.resources
        releases = Releases(resources.lake, resources.registry, resources.deploy_target, self.spec.name)
        # First carries out releases that a dead run put into the ledger.
        releases.state()

        def release(before: Release, move: Move) -> None:
            guard.check_before_publishing()
            releases.release(before, move)

        stage = builder_of(self.spec, context).deployment(release, f"{RUN}{context.run_id}")
        stage.differences = releases.differences
        yield stage

    def metadata(self, stage: ModelDeployment, day: date) -> Mapping[str, Any]:
        """The decision, and the figures behind it."""
        return report.deployment_metadata(stage, day)

    def newest_metadata(self, stage: ModelDeployment, day: date) -> Mapping[str, Any]:
        """Plots of champion and challenger."""
        return report.deployment_plots(stage, day)

    def evaluate_checks(self, stage: ModelDeployment, days: Sequence[date], newest: date) -> Iterator[CheckRun]:
        """Evaluate the check of rollbacks on some days of a run."""
        yield from evaluate_rollbacks(self.spec, stage, days, asset_key(self.spec, DEPLOYMENT))

    def complete_checks(
        self, stage: ModelDeployment, days: Sequence[date], evaluated: Sequence[date], runs: Sequence[CheckRun]
    ) -> list[CheckRun]:
        """Compare the current state of MLflow and the deploy target with the ledger."""
        targets = evaluate_targets(stage.differences(), days[-1], asset_key(self.spec, DEPLOYMENT))
        return [*(run for run in runs if run.name != TARGETS_IN_LINE), *targets]

    def report_parts(self, stage: ModelDeployment, days: Sequence[date]) -> Iterator[Part]:
        """The decision, the live versions, and the comparison with the champion."""
        return report.deployment_parts(stage, days)


class PredictionsStep(StageStep[DailyPredictions]):
    """predictions."""

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The scored rows of a day."""
        deps, kinds = [depends(self.spec, DEPLOYMENT), depends(self.spec, FEATURES)], {"deltalake", "xgboost"}
        metadata = schema(release_column_schemas.predictions_columns(self.spec))
        return [asset(self.spec, PREDICTIONS, paragraph(DailyPredictions), GROUP, kinds, deps, **metadata)]

    def build(self, context: dg.AssetExecutionContext) -> DailyPredictions:
        """Build the stage for a run."""
        return builder_of(self.spec, context).predictions()

    def problem(self, stage: DailyPredictions, day: date) -> str | None:
        """Say why no row was scored."""
        return stage.problem(day)

    def metadata(self, stage: DailyPredictions, day: date) -> Mapping[str, Any]:
        """The versions that scored, and how many rows."""
        return report.predictions_metadata(stage, day)

    def newest_metadata(self, stage: DailyPredictions, day: date) -> Mapping[str, Any]:
        """Lineage of the columns, and a plot of the scores."""
        lineage = column_schemas.scored_lineage(self.spec, self.spec.row_identity_columns())
        dashboard = {"dashboard": Reports(self.spec.name, stage.lake).dashboard_link()}
        return {"dagster/column_lineage": lineage, **dashboard, **report.predictions_plots(stage, day)}

    def after_days(
        self, context: dg.AssetExecutionContext, stage: DailyPredictions, days: Sequence[date], changed: Sequence[date]
    ) -> None:
        """Write the dashboard with the reports of all stages, unless prediction_quality follows in this run."""
        if asset_key(self.spec, PREDICTION_QUALITY) in context.job_def.asset_layer.selected_asset_keys:
            return
        update_dashboard(
            context, self.spec, stage.lake, days, stage.ledger.moves(), quality_table(self.spec, stage.lake)
        )

    def report_parts(self, stage: DailyPredictions, days: Sequence[date]) -> Iterator[Part]:
        """Scored rows and decisions, and the highest scores with their reasons."""
        return report.predictions_parts(stage, days)
