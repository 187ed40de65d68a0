"""The steps that observe production: the quality of predictions, and served requests."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import dagster as dg

from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.pipeline.asset_names import (
    FEATURES,
    LABELS,
    PREDICTION_QUALITY,
    PREDICTIONS,
    SERVED_REQUESTS,
    asset_key,
)
from ml_assets.pipeline.features.reference_profiles import drift_reference_days
from ml_assets.pipeline.graph.asset_specs import asset, depends, paragraph, schema
from ml_assets.pipeline.graph.stages import builder_of
from ml_assets.pipeline.monitoring import quality_report, served_report
from ml_assets.pipeline.monitoring.quality_check import evaluate_quality_check, quality_check
from ml_assets.pipeline.monitoring.quality_stage import PredictionQuality
from ml_assets.pipeline.monitoring.served_checks import evaluate_served_checks, served_check_inputs, served_checks
from ml_assets.pipeline.monitoring.served_stage import ServedRequests
from ml_assets.pipeline.release.dashboard import update_dashboard
from ml_assets.pipeline.steps.check_results import CheckRun
from ml_assets.pipeline.steps.kept_checks import Inputs
from ml_assets.pipeline.steps.stage_step import StageStep

GROUP = "deployment"


class PredictionQualityStep(StageStep[PredictionQuality]):
    """prediction_quality."""

    check_modules = ("ml_assets.pipeline.monitoring.quality_check",)

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The estimated metrics of a day, and the realised metrics of an earlier day."""
        spec, delay = self.spec, self.spec.label_delay.days
        labels = [depends(spec, LABELS, delay)] if spec.labels else []
        deps = [depends(spec, PREDICTIONS, delay), depends(spec, FEATURES, delay), *labels]
        metadata = schema(quality_report.quality_columns())
        return [asset(spec, PREDICTION_QUALITY, paragraph(PredictionQuality), GROUP, {"deltalake"}, deps, **metadata)]

    @property
    def check_specs(self) -> Sequence[dg.AssetCheckSpec]:
        """The check of the quality against that of the holdout."""
        return quality_check(self.spec, asset_key(self.spec, PREDICTION_QUALITY))

    def build(self, context: dg.AssetExecutionContext) -> PredictionQuality:
        """Build the stage for a run."""
        return builder_of(self.spec, context).quality()

    def problem(self, stage: PredictionQuality, day: date) -> str | None:
        """Say why nothing was estimated."""
        return stage.problem(day)

    def metadata(self, stage: PredictionQuality, day: date) -> Mapping[str, Any]:
        """The metrics of the champion."""
        return quality_report.quality_metadata(stage, day)

    def newest_metadata(self, stage: PredictionQuality, day: date) -> Mapping[str, Any]:
        """The plot and the table of the last days."""
        return quality_report.quality_plots(stage, day)

    def evaluate_checks(self, stage: PredictionQuality, days: Sequence[date], newest: date) -> Iterator[CheckRun]:
        """Evaluate the check on some days of a run."""
        return evaluate_quality_check(self.spec, stage, days, asset_key(self.spec, PREDICTION_QUALITY))

    def after_days(
        self, context: dg.AssetExecutionContext, stage: PredictionQuality, days: Sequence[date], changed: Sequence[date]
    ) -> None:
        """Write the dashboard, with the prediction quality of these days."""
        table = stage.tables[PREDICTION_QUALITY]
        update_dashboard(context, self.spec, stage.lake, days, stage.moves(), table)

    def report_parts(self, stage: PredictionQuality, days: Sequence[date]) -> Iterator[Part]:
        """The metrics of a day, and for the newest day also those of the days before."""
        return quality_report.quality_parts(stage, days)


class ServedRequestsStep(StageStep[ServedRequests]):
    """served_requests."""

    check_modules = ("ml_assets.pipeline.monitoring.served_checks", "ml_assets.pipeline.features.reference_profiles")

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The requests of a day; they follow its features, with which they are compared."""
        spec, deps = self.spec, [depends(self.spec, FEATURES)]
        metadata = schema(served_report.served_column_schema(spec))
        return [asset(spec, SERVED_REQUESTS, paragraph(ServedRequests), GROUP, {"deltalake"}, deps, **metadata)]

    @property
    def check_specs(self) -> Sequence[dg.AssetCheckSpec]:
        """The checks of the features as served."""
        return served_checks(self.spec, asset_key(self.spec, SERVED_REQUESTS))

    def build(self, context: dg.AssetExecutionContext) -> ServedRequests:
        """Build the stage for a run."""
        return builder_of(self.spec, context).served_requests()

    def metadata(self, stage: ServedRequests, day: date) -> Mapping[str, Any]:
        """The number of requests."""
        return served_report.served_metadata(stage, day)

    def evaluate_checks(self, stage: ServedRequests, days: Sequence[date], newest: date) -> Iterator[CheckRun]:
        """Evaluate the checks on some days of a run."""
        return evaluate_served_checks(self.spec, stage, days, asset_key(self.spec, SERVED_REQUESTS))

    def check_inputs(self, stage: ServedRequests, day: date) -> Inputs:
        """List the fingerprints of the requests, of the features of the day, and of the training window."""
        return served_check_inputs(self.spec, stage, day)

    def days_read_by_checks(self, stage: ServedRequests, day: date) -> Sequence[date]:
        """List the days of the reference of the drift."""
        return drift_reference_days(self.spec, day)

    def report_parts(self, stage: ServedRequests, days: Sequence[date]) -> Iterator[Part]:
        """The number of requests of a day."""
        return served_report.served_parts(stage, days)
