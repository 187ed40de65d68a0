"""The asset graph of one model: its stages with their keys, groups, lineage and checks."""

import dagster as dg

from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.feed import Feed, labels_feed, rows_feed
from ml_assets.pipeline import checks, columns, report_parts
from ml_assets.pipeline.asset_specs import asset, asset_key, depends, paragraph, schema
from ml_assets.pipeline.checkpoints import remove_checkpoints
from ml_assets.pipeline.deployment import DEPLOYMENT
from ml_assets.pipeline.evaluation import EVALUATION, ModelEvaluation
from ml_assets.pipeline.experiments import run_experiments
from ml_assets.pipeline.failing_models import track_failing_models
from ml_assets.pipeline.feature_checks import feature_checks, judge_features
from ml_assets.pipeline.features import FEATURES, FeatureEngineering
from ml_assets.pipeline.ingestion import RAW, RAW_LABELS, Ingestion
from ml_assets.pipeline.input_bytes import LANDED_FILES
from ml_assets.pipeline.judgement import evaluation_checks, judge_evaluation, judge_validation, validation_checks
from ml_assets.pipeline.live_assets import deployment_assets, predictions_assets
from ml_assets.pipeline.predictions import PREDICTIONS
from ml_assets.pipeline.registry import ENTRY, ModelRegistration
from ml_assets.pipeline.run_guard import RunGuard
from ml_assets.pipeline.search import SEARCH
from ml_assets.pipeline.search_assets import search_assets
from ml_assets.pipeline.stage_assets import StageAssets, build_stage_assets
from ml_assets.pipeline.stale_models import mark_stale_models
from ml_assets.pipeline.training import MODEL, ModelTraining
from ml_assets.pipeline.training_config import TrainingConfig, is_experiment
from ml_assets.pipeline.training_progress import open_training
from ml_assets.pipeline.validation import LABELS, QUARANTINED, QUARANTINED_LABELS, VALIDATED, Validation
from ml_assets.resources.mlflow_model import ModelRecord
from ml_assets.resources.registry import RegisteredVersion

LANDED_TO_FEATURES = (RAW, VALIDATED, QUARANTINED, FEATURES)
LABEL_ASSETS = (RAW_LABELS, LABELS, QUARANTINED_LABELS)
MODEL_ASSETS = (MODEL, EVALUATION, ENTRY)
LIVE_ASSETS = (DEPLOYMENT, PREDICTIONS)


def landed_to_features(spec: ModelSpec) -> tuple[str, ...]:
    """Names of the assets that follow landed files, features last."""
    return (*(LABEL_ASSETS if spec.labels else ()), *LANDED_TO_FEATURES)


def model_assets(spec: ModelSpec) -> tuple[str, ...]:
    """Names of the assets that make a model of a day, the registry entry last."""
    return (*([SEARCH] if spec.training.search else []), *MODEL_ASSETS)


def build_assets(spec: ModelSpec) -> list[dg.AssetsDefinition]:
    """The assets of a model in the order of its stages."""
    feeds = [feed for feed in (labels_feed(spec), rows_feed(spec)) if feed]
    of_feeds = [stage(spec, feed) for feed in feeds for stage in (_ingestion, _validation)]
    searching = [search_assets] if spec.training.search else []
    of_rows = [stage(spec) for stage in (_features, *searching, _training, _evaluation, _registration, deployment_assets, predictions_assets)]
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
            asset(spec, feed.validated, paragraph(Validation), "validation", kinds, raw, **schema(columns.contract_columns(feed))),
            asset(spec, feed.quarantined, paragraph(Validation, 1), "validation", kinds, raw, **schema(columns.quarantine_columns())),
        ],
        open=lambda context, guard: Validation(feed, context.resources.lake),
        problem=lambda stage, day: stage.problem(day),
        newest_day=lambda stage, day: {"dagster/column_lineage": columns.same_columns(feed, asset_key(spec, feed.raw))},
        checks=validation_checks(spec, feed, key),
        judge=lambda stage, days: judge_validation(spec, stage, days, key),
        report=report_parts.validation_parts,
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
                [depends(spec, VALIDATED, reach), *([depends(spec, LABELS, reach, 1)] if spec.labels and spec.target_features() else [])],
                **schema(columns.feature_columns(spec)),
            )
        ],
        open=lambda context, guard: FeatureEngineering(spec, context.resources.lake, context.resources.landing),
        problem=lambda stage, day: None,
        newest_day=lambda stage, day: {"dagster/column_lineage": columns.feature_lineage(spec, asset_key(spec, VALIDATED))},
        checks=feature_checks(spec, key),
        judge=lambda stage, days: judge_features(spec, stage, days, key),
        report=report_parts.features_parts,
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
        problem=checks.training_problem,
        every_day=checks.model_metadata,
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
                [depends(spec, MODEL), depends(spec, FEATURES, first, last), *([depends(spec, LABELS, first)] if spec.labels else [])],
                **schema(columns.evaluation_columns(spec)),
            )
        ],
        open=lambda context, guard: ModelEvaluation(spec, context.resources.lake, context.resources.landing, context.resources.registry),
        problem=checks.evaluation_problem,
        every_day=checks.evaluation_metadata,
        newest_day=checks.picture_metadata,
        checks=evaluation_checks(spec, key),
        judge=lambda stage, days: judge_evaluation(spec, stage, days, key),
        report=report_parts.evaluation_parts,
        afterwards=lambda context, days: track_failing_models(context, spec, days),
        resources=frozenset({"registry", "tracking"}),
    )


def _registration(spec: ModelSpec) -> StageAssets:
    def open_stage(context: dg.AssetExecutionContext, guard: RunGuard) -> ModelRegistration:
        registry, tracking = context.resources.registry, context.resources.tracking

        def register(record: ModelRecord) -> RegisteredVersion:
            guard.before_publishing()
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
        problem=checks.registration_problem,
        every_day=checks.registration_metadata,
        report=report_parts.registration_parts,
        resources=frozenset({"registry", "tracking"}),
    )
