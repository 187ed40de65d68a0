"""The steps from landed files to features: raw data, validated data and features."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.core.tables import columns
from ml_assets.pipeline.asset_names import FEATURES, LABELS, LANDED_FILES, RAW, VALIDATED, asset_key
from ml_assets.pipeline.features.checks import evaluate_feature_checks, feature_checks
from ml_assets.pipeline.features.reference_profiles import drift_reference_days
from ml_assets.pipeline.features.report import features_parts
from ml_assets.pipeline.features.stage import FeatureEngineering
from ml_assets.pipeline.graph import column_schemas
from ml_assets.pipeline.graph.asset_specs import asset, depends, paragraph, schema
from ml_assets.pipeline.graph.check_inputs import (
    FEATURE_MODULES,
    VALIDATION_MODULES,
    days_compared,
    feature_inputs,
    validation_inputs,
)
from ml_assets.pipeline.graph.checks import evaluate_validation_checks, validation_checks, validation_metadata
from ml_assets.pipeline.graph.stages import builder_of
from ml_assets.pipeline.ingestion.overlooked_files import MAX_NAMED, overlooked_warnings
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.pipeline.steps.check_results import CheckRun
from ml_assets.pipeline.steps.kept_checks import Inputs
from ml_assets.pipeline.steps.stage_step import StageStep
from ml_assets.pipeline.training.stale_models import mark_stale_models
from ml_assets.pipeline.validation.label_match_check import label_match_metadata
from ml_assets.pipeline.validation.report import validation_parts
from ml_assets.pipeline.validation.stage import Validation


class IngestionStep(StageStep[Ingestion]):
    """raw_data or raw_labels."""

    is_reported = False

    def __init__(self, spec: ModelSpec, feed: Feed):
        super().__init__(spec)
        self.feed = feed

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The landed rows of the feed."""
        metadata = {**schema(column_schemas.raw_columns(self.feed)), LANDED_FILES: self.feed.source.files}
        kinds = {"deltalake", "parquet"}
        return [asset(self.spec, self.feed.raw, paragraph(Ingestion), "ingestion", kinds, **metadata)]

    def build(self, context: dg.AssetExecutionContext) -> Ingestion:
        """Build the stage for a run."""
        return builder_of(self.spec, context).ingestion_of(self.feed)

    def metadata(self, stage: Ingestion, day: date) -> Mapping[str, Any]:
        """Files next to those of the day that the pattern does not match."""
        keys = stage.overlooked(day)
        return {"files_not_read": len(keys), "files_not_read_examples": ", ".join(keys[:MAX_NAMED])} if keys else {}

    def after_days(
        self, context: dg.AssetExecutionContext, stage: Ingestion, days: Sequence[date], changed: Sequence[date]
    ) -> None:
        """Warn of files that the pattern does not match."""
        for text in overlooked_warnings(self.feed.source.files, {day: stage.overlooked(day) for day in days}):
            context.log.warning(text)

    def problem(self, stage: Ingestion, day: date) -> str | None:
        """Say which files of the day could not be read, or that none landed."""
        return stage.problem(day)


class ValidationStep(StageStep[Validation]):
    """validated_data and quarantined_data, or the same of labels."""

    check_modules = VALIDATION_MODULES

    def __init__(self, spec: ModelSpec, feed: Feed):
        super().__init__(spec)
        self.feed = feed
        self.key = asset_key(spec, feed.validated)
        if feed.validated == LABELS:
            self.resources = frozenset({"registry"})

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """Accepted rows, and quarantined rows."""
        # Labels are matched with the rows of their day, so the rows come first.
        rows = [depends(self.spec, RAW)] if self.feed.validated == LABELS else []
        deps, kinds = [depends(self.spec, self.feed.raw), *rows], {"deltalake", "pandera"}
        shown_columns = {
            self.feed.validated: column_schemas.contract_columns(self.feed),
            self.feed.quarantined: column_schemas.table_columns(columns.QUARANTINE),
        }
        return [
            asset(
                self.spec, name, paragraph(Validation, number), "validation", kinds, deps, **schema(shown_columns[name])
            )
            for number, name in enumerate(shown_columns)
        ]

    @property
    def check_specs(self) -> Sequence[dg.AssetCheckSpec]:
        """The checks of contract, volume and drift."""
        return validation_checks(self.spec, self.feed, self.key)

    def build(self, context: dg.AssetExecutionContext) -> Validation:
        """Build the stage for a run."""
        return builder_of(self.spec, context).validation_of(self.feed)

    def problem(self, stage: Validation, day: date) -> str | None:
        """Say why the day is rejected or missing."""
        return stage.problem(day)

    def metadata(self, stage: Validation, day: date) -> Mapping[str, Any]:
        """Labels that belong to no row."""
        return label_match_metadata(stage.matching, day) if stage.matching else {}

    def newest_metadata(self, stage: Validation, day: date) -> Mapping[str, Any]:
        """Lineage of the columns."""
        return {"dagster/column_lineage": column_schemas.same_columns(self.feed, asset_key(self.spec, self.feed.raw))}

    def evaluate_checks(self, stage: Validation, days: Sequence[date], newest: date) -> Iterator[CheckRun]:
        """Evaluate the checks on some days of a run."""
        return evaluate_validation_checks(self.spec, stage, days, self.key)

    def check_inputs(self, stage: Validation, day: date) -> Inputs:
        """The day, the days that it is compared with, and the landed files."""
        return validation_inputs(self.spec, stage, day)

    def complete_checks(
        self, stage: Validation, days: Sequence[date], evaluated: Sequence[date], runs: Sequence[CheckRun]
    ) -> list[CheckRun]:
        """Add the figures of all days of the run."""
        return [replace(run, metadata=validation_metadata(run)) for run in runs]

    def days_read_by_checks(self, stage: Validation, day: date) -> Sequence[date]:
        """The days that the day is compared with."""
        return days_compared(self.spec, day)

    def report_parts(self, stage: Validation, days: Sequence[date]) -> Iterator[Part]:
        """Landed files, accepted and quarantined rows."""
        return validation_parts(stage, days)

    def after_days(
        self, context: dg.AssetExecutionContext, stage: Validation, days: Sequence[date], changed: Sequence[date]
    ) -> None:
        """Mark the models that were trained on labels that changed."""
        if changed and self.feed.validated == LABELS:
            mark_stale_models(context, builder_of(self.spec, context).training(), changed)


class FeaturesStep(StageStep[FeatureEngineering]):
    """features."""

    check_modules = FEATURE_MODULES
    resources = frozenset({"registry"})

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The features of the rows of a day."""
        reach = self.spec.reach_in_days()
        sees_labels = self.spec.labels and self.spec.target_features()
        labels = [depends(self.spec, LABELS, reach, 1)] if sees_labels else []
        deps = [depends(self.spec, VALIDATED, reach), *labels]
        metadata = schema(column_schemas.feature_columns(self.spec))
        kinds = {"deltalake", "pandas"}
        return [asset(self.spec, FEATURES, paragraph(FeatureEngineering), "features", kinds, deps, **metadata)]

    @property
    def check_specs(self) -> Sequence[dg.AssetCheckSpec]:
        """The checks of features."""
        return feature_checks(self.spec, asset_key(self.spec, FEATURES))

    def build(self, context: dg.AssetExecutionContext) -> FeatureEngineering:
        """Build the stage for a run."""
        return builder_of(self.spec, context).features

    def newest_metadata(self, stage: FeatureEngineering, day: date) -> Mapping[str, Any]:
        """Lineage of the columns."""
        lineage = column_schemas.feature_lineage(self.spec, asset_key(self.spec, VALIDATED))
        return {"dagster/column_lineage": lineage}

    def evaluate_checks(self, stage: FeatureEngineering, days: Sequence[date], newest: date) -> Iterator[CheckRun]:
        """Evaluate the checks on some days of a run."""
        return evaluate_feature_checks(self.spec, stage, days, asset_key(self.spec, FEATURES), newest)

    def check_inputs(self, stage: FeatureEngineering, day: date) -> Inputs:
        """The day, its training window, and what its features are built from."""
        return feature_inputs(self.spec, stage, day)

    def days_read_by_checks(self, stage: FeatureEngineering, day: date) -> Sequence[date]:
        """The days of the windows of the features, the day itself included, and of the reference of their drift."""
        windows = [day - timedelta(days=back) for back in range(self.spec.reach_in_days() + 1)]
        return sorted({*windows, *drift_reference_days(self.spec, day)})

    def report_parts(self, stage: FeatureEngineering, days: Sequence[date]) -> Iterator[Part]:
        """Rows and number of features."""
        return features_parts(stage, days)

    def after_days(
        self,
        context: dg.AssetExecutionContext,
        stage: FeatureEngineering,
        days: Sequence[date],
        changed: Sequence[date],
    ) -> None:
        """Mark the models that were trained on features that changed."""
        if changed:
            mark_stale_models(context, builder_of(self.spec, context).training(), changed)
