"""The asset graph of one model: its stages with their keys, groups, lineage and checks."""

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Feed, labels_feed, rows_feed
from ml_assets.pipeline.asset_names import (
    ENTRY,
    EVALUATION,
    FEATURES,
    LABELS,
    MODEL,
    SEARCH,
    VALIDATED,
    asset_key,
)
from ml_assets.pipeline.engine.run_guard import RunGuard
from ml_assets.pipeline.evaluation import metadata as checks
from ml_assets.pipeline.evaluation import report as report_parts
from ml_assets.pipeline.evaluation.experiments import run_experiments
from ml_assets.pipeline.evaluation.stage import ModelEvaluation
from ml_assets.pipeline.features.checks import evaluate_feature_checks, feature_checks
from ml_assets.pipeline.features.report import features_parts
from ml_assets.pipeline.features.stage import FeatureEngineering
from ml_assets.pipeline.graph import column_schemas as columns
from ml_assets.pipeline.graph.asset_specs import asset, depends, paragraph, schema
from ml_assets.pipeline.graph.checks import (
    evaluate_evaluation_checks,
    evaluate_validation_checks,
    evaluation_checks,
    validation_checks,
)
from ml_assets.pipeline.graph.release_assets import deployment_assets, predictions_assets
from ml_assets.pipeline.graph.search_assets import search_assets
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.pipeline.release.metadata import registration_metadata, registration_problem
from ml_assets.pipeline.release.registration_report import registration_parts
from ml_assets.pipeline.release.registration_stage import ModelRegistration
from ml_assets.pipeline.release.rejected_models import track_rejected_models
from ml_assets.pipeline.steps.asset_factory import StageAssets, build_stage_assets
from ml_assets.pipeline.steps.input_size import LANDED_FILES
from ml_assets.pipeline.training.checkpoints import remove_checkpoints
from ml_assets.pipeline.training.config import TrainingConfig, is_experiment
from ml_assets.pipeline.training.metadata import model_metadata, training_problem
from ml_assets.pipeline.training.progress import open_training
from ml_assets.pipeline.training.stage import ModelTraining
from ml_assets.pipeline.training.stale_models import mark_stale_models
from ml_assets.pipeline.validation.report import validation_parts
from ml_assets.pipeline.validation.stage import Validation
from ml_assets.resources.mlflow.model_format import ModelRecord
from ml_assets.resources.registry.model_registry import RegisteredVersion


def build_assets(spec: ModelSpec) -> list[dg.AssetsDefinition]:
    """The assets of a model in the order of its stages."""
    feeds = [feed for feed in (labels_feed(spec), rows_feed(spec)) if feed]
    of_feeds = [stage(spec, feed) for feed in feeds for stage in (_ingestion, _validation)]
    searching = [search_assets] if spec.training.search else []
    of_rows = [
        stage(spec)
        for stage in (
            _features,
            *searching,
            _training,
            _evaluation,
            _registration,
            deployment_assets,
            predictions_assets,
        )
    ]
    return [build_stage_assets(spec, stage) for stage in (*of_feeds, *of_rows)]


def _ingestion(spec: ModelSpec, feed: Feed) -> StageAssets:
    return StageAssets(
        [
            asset(
                spec,
                feed.raw,
                paragraph(Ingestion),
                "ingestion",
                {"deltalake", "parquet"},
                **schema(columns.raw_columns(feed)),
                **{LANDED_FILES: feed.source.files},
            )
        ],
        open=lambda context, guard: Ingestion(feed, spec.late_data, context.resources.lake, context.resources.landing),
        problem=lambda stage, day: stage.problem(day),
    )


def _validation(spec: ModelSpec, feed: Feed) -> StageAssets:
    is_of_labels = feed.validated == LABELS
    raw, kinds, key = [depends(spec, feed.raw)], {"deltalake", "pandera"}, asset_key(spec, feed.validated)
    return StageAssets(
        [
            asset(
                spec,
                feed.validated,
                paragraph(Validation),
                "validation",
                kinds,
                raw,
                **schema(columns.contract_columns(feed)),
            ),
            asset(
                spec,
                feed.quarantined,
                paragraph(Validation, 1),
                "validation",
                kinds,
                raw,
                **schema(columns.quarantine_columns()),
            ),
        ],
        open=lambda context, guard: Validation(feed, context.resources.lake),
        problem=lambda stage, day: stage.problem(day),
        newest_day=lambda stage, day: {"dagster/column_lineage": columns.same_columns(feed, asset_key(spec, feed.raw))},
        checks=validation_checks(spec, feed, key),
        evaluate_gates=lambda stage, days: evaluate_validation_checks(spec, stage, days, key),
        report=validation_parts,
        afterwards=lambda context, days: mark_stale_models(context, spec, days) if is_of_labels else None,
        resources=frozenset({"registry"} if is_of_labels else {}),
    )


def _features(spec: ModelSpec) -> StageAssets:
    reach, key = spec.reach_in_days(), asset_key(spec, FEATURES)
    return StageAssets(
        [
            asset(
                spec,
                FEATURES,
                paragraph(FeatureEngineering),
                "features",
                {"deltalake", "pandas"},
                [
                    depends(spec, VALIDATED, reach),
                    *([depends(spec, LABELS, reach, 1)] if spec.labels and spec.target_features() else []),
                ],
                **schema(columns.feature_columns(spec)),
            )
        ],
        open=lambda context, guard: FeatureEngineering(spec, context.resources.lake, context.resources.landing),
        problem=lambda stage, day: None,
        newest_day=lambda stage, day: {
            "dagster/column_lineage": columns.feature_lineage(spec, asset_key(spec, VALIDATED))
        },
        checks=feature_checks(spec, key),
        evaluate_gates=lambda stage, days: evaluate_feature_checks(spec, stage, days, key),
        report=features_parts,
        afterwards=lambda context, days: mark_stale_models(context, spec, days),
        resources=frozenset({"registry"}),
    )


def _training(spec: ModelSpec) -> StageAssets:
    last = 2 * spec.label_delay.days + spec.evaluation.holdout.days
    first = last + spec.training.window.days - 1
    return StageAssets(
        [
            asset(
                spec,
                MODEL,
                paragraph(ModelTraining),
                "training",
                {"xgboost", "scikitlearn"},
                [
                    depends(spec, FEATURES, first, last),
                    *([depends(spec, LABELS, first)] if spec.labels else []),
                    *([depends(spec, SEARCH)] if spec.training.search else []),
                ],
                **schema(columns.model_columns()),
            )
        ],
        open=lambda context, guard: open_training(spec, context),
        problem=training_problem,
        every_day=model_metadata,
        afterwards=lambda context, days: remove_checkpoints(context.resources.lake, spec.name, days),
        resources=frozenset({"tracking"}),
        config=TrainingConfig,
        instead=lambda context, days: run_experiments(context, spec, days) if is_experiment(context) else None,
    )


def _evaluation(spec: ModelSpec) -> StageAssets:
    last = spec.label_delay.days
    first = last + spec.evaluation.holdout.days - 1
    if spec.evaluation.exclude_known_positives:
        first += spec.label_delay.days + spec.training.window.days
    key = asset_key(spec, EVALUATION)
    return StageAssets(
        [
            asset(
                spec,
                EVALUATION,
                paragraph(ModelEvaluation),
                "evaluation",
                {"deltalake", "scikitlearn"},
                [
                    depends(spec, MODEL),
                    depends(spec, FEATURES, first, last),
                    *([depends(spec, LABELS, first)] if spec.labels else []),
                ],
                **schema(columns.evaluation_columns(spec)),
            )
        ],
        open=lambda context, guard: ModelEvaluation(
            spec, context.resources.lake, context.resources.landing, context.resources.registry
        ),
        problem=checks.evaluation_problem,
        every_day=checks.evaluation_metadata,
        newest_day=checks.plot_metadata,
        checks=evaluation_checks(spec, key),
        evaluate_gates=lambda stage, days: evaluate_evaluation_checks(spec, stage, days, key),
        report=report_parts.evaluation_parts,
        afterwards=lambda context, days: track_rejected_models(context, spec, days),
        resources=frozenset({"registry", "tracking"}),
    )


def _registration(spec: ModelSpec) -> StageAssets:
    def open_stage(context: dg.AssetExecutionContext, guard: RunGuard) -> ModelRegistration:
        registry, tracking = context.resources.registry, context.resources.tracking

        def register(record: ModelRecord) -> RegisteredVersion:
            guard.check_before_publishing()
            with tracking.run(context, spec.name) as run:
                return registry.register(run, record)

        return ModelRegistration(spec, context.resources.lake, context.resources.landing, registry, register)

    return StageAssets(
        [
            asset(
                spec,
                ENTRY,
                paragraph(ModelRegistration),
                "registry",
                {"mlflow"},
                [depends(spec, MODEL), depends(spec, EVALUATION)],
                **schema(columns.entry_columns()),
            )
        ],
        open=open_stage,
        problem=registration_problem,
        every_day=registration_metadata,
        report=registration_parts,
        resources=frozenset({"registry", "tracking"}),
    )
