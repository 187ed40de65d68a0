"""The asset graph of one model: its stages with their keys, groups, lineage and checks."""

import inspect
from collections.abc import Sequence
from typing import Any

import dagster as dg

from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.feed import Feed, labels_feed, rows_feed
from ml_assets.pipeline import checks, columns, report_parts
from ml_assets.pipeline.evaluation import EVALUATION, ModelEvaluation
from ml_assets.pipeline.failing_models import track_failing_models
from ml_assets.pipeline.feature_checks import feature_checks, judge_features
from ml_assets.pipeline.features import FEATURES, FeatureEngineering
from ml_assets.pipeline.freshness import freshness_policy
from ml_assets.pipeline.ingestion import RAW, RAW_LABELS, Ingestion
from ml_assets.pipeline.input_bytes import LANDED_FILES
from ml_assets.pipeline.judgement import evaluation_checks, judge_evaluation, judge_validation, validation_checks
from ml_assets.pipeline.registry import ENTRY, ModelRegistration
from ml_assets.pipeline.stage_assets import StageAssets, build_stage_assets, partitions
from ml_assets.pipeline.stale_models import mark_stale_models
from ml_assets.pipeline.training import MODEL, ModelTraining
from ml_assets.pipeline.validation import LABELS, QUARANTINED, QUARANTINED_LABELS, VALIDATED, Validation
from ml_assets.resources.mlflow_model import ModelRecord
from ml_assets.resources.registry import RegisteredVersion

LANDED_TO_FEATURES = (RAW, VALIDATED, QUARANTINED, FEATURES)
LABEL_ASSETS = (RAW_LABELS, LABELS, QUARANTINED_LABELS)
MODEL_ASSETS = (MODEL, EVALUATION, ENTRY)
# The first and the last that have to follow each day; what lies between is late when the last is.
FOLLOW_EACH_DAY = (RAW, VALIDATED, ENTRY)


def landed_to_features(spec: ModelSpec) -> tuple[str, ...]:
    """Names of the assets that follow landed files, features last."""
    return (*(LABEL_ASSETS if spec.labels else ()), *LANDED_TO_FEATURES)


def build_assets(spec: ModelSpec) -> list[dg.AssetsDefinition]:
    """The assets of a model in the order of its stages."""
    feeds = [feed for feed in (labels_feed(spec), rows_feed(spec)) if feed]
    of_feeds = [stage(spec, feed) for feed in feeds for stage in (_ingestion, _validation)]
    of_rows = [stage(spec) for stage in (_features, _training, _evaluation, _registration)]
    return [build_stage_assets(spec, stage) for stage in (*of_feeds, *of_rows)]


def asset_key(spec: ModelSpec, name: str) -> dg.AssetKey:
    """The key of an asset: model, then name."""
    return dg.AssetKey([spec.name, name])


def _asset(
    spec: ModelSpec, name: str, description: str, group: str, kinds: set[str], deps: Sequence[dg.AssetDep] = (), **metadata: Any
) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(spec, name),
        description=description,
        group_name=group,
        kinds=kinds,
        owners=spec.owners,
        deps=deps,
        metadata=metadata,
        partitions_def=partitions(spec),
        tags={"model": spec.name},
        freshness_policy=freshness_policy(spec) if name in FOLLOW_EACH_DAY else None,
    )


def _paragraph(stage: type, number: int = 0) -> str:
    """A paragraph of a stage's docstring, for the description of its asset."""
    return " ".join((inspect.getdoc(stage) or "").split("\n\n")[number].split())


def _from(spec: ModelSpec, name: str, first: int = 0, last: int = 0) -> dg.AssetDep:
    """A dependency on the days from `first` to `last` days before the own day."""
    mapping = dg.TimeWindowPartitionMapping(start_offset=-first, end_offset=-last, allow_nonexistent_upstream_partitions=True)
    return dg.AssetDep(asset_key(spec, name), partition_mapping=mapping)


def _schema(found: list[dg.TableColumn]) -> dict[str, Any]:
    return {"dagster/column_schema": dg.TableSchema(found)}


def _ingestion(spec: ModelSpec, feed: Feed) -> StageAssets:
    metadata: dict[str, Any] = _schema(columns.raw_columns(feed)) | {LANDED_FILES: feed.source.files}
    return StageAssets(
        [_asset(spec, feed.raw, _paragraph(Ingestion), "ingestion", {"deltalake", "parquet"}, **metadata)],
        open=lambda context: Ingestion(feed, spec.late_data, context.resources.lake, context.resources.landing),
        problem=lambda stage, day: stage.problem(day),
    )


def _validation(spec: ModelSpec, feed: Feed) -> StageAssets:
    is_of_labels = feed.validated == LABELS
    raw, kinds, key = [_from(spec, feed.raw)], {"deltalake", "pandera"}, asset_key(spec, feed.validated)
    return StageAssets(
        [
            _asset(spec, feed.validated, _paragraph(Validation), "validation", kinds, raw, **_schema(columns.contract_columns(feed))),
            _asset(spec, feed.quarantined, _paragraph(Validation, 1), "validation", kinds, raw, **_schema(columns.quarantine_columns())),
        ],
        open=lambda context: Validation(feed, context.resources.lake),
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
            _asset(
                spec,
                FEATURES,
                _paragraph(FeatureEngineering),
                "features",
                {"deltalake", "pandas"},
                [_from(spec, VALIDATED, reach), *([_from(spec, LABELS, reach, 1)] if spec.labels and spec.target_features() else [])],
                **_schema(columns.feature_columns(spec)),
            )
        ],
        open=lambda context: FeatureEngineering(spec, context.resources.lake, context.resources.landing),
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
            _asset(
                spec,
                MODEL,
                _paragraph(ModelTraining),
                "training",
                {"xgboost", "scikitlearn"},
                [_from(spec, FEATURES, first, last), *([_from(spec, LABELS, first)] if spec.labels else [])],
                **_schema(columns.model_columns()),
            )
        ],
        open=lambda context: ModelTraining(spec, context.resources.lake, context.resources.landing, context.log.info),
        problem=checks.training_problem,
        every_day=checks.model_metadata,
    )


def _evaluation(spec: ModelSpec) -> StageAssets:
    last = spec.label_delay.days
    first = last + spec.evaluation.holdout.days - 1
    if spec.evaluation.exclude_known_positives:
        first += spec.label_delay.days + spec.training.window.days
    key = asset_key(spec, EVALUATION)
    return StageAssets(
        [
            _asset(
                spec,
                EVALUATION,
                _paragraph(ModelEvaluation),
                "evaluation",
                {"deltalake", "scikitlearn"},
                [_from(spec, MODEL), _from(spec, FEATURES, first, last), *([_from(spec, LABELS, first)] if spec.labels else [])],
                **_schema(columns.evaluation_columns(spec)),
            )
        ],
        open=lambda context: ModelEvaluation(spec, context.resources.lake, context.resources.landing, context.resources.registry),
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

    def open_stage(context: dg.AssetExecutionContext) -> ModelRegistration:
        registry, tracking = context.resources.registry, context.resources.tracking

        def register(record: ModelRecord) -> RegisteredVersion:
            with tracking.run(context, spec.name) as run:
                return registry.register(run, record)

        return ModelRegistration(spec, context.resources.lake, context.resources.landing, registry, register)

    return StageAssets(
        [
            _asset(
                spec,
                ENTRY,
                _paragraph(ModelRegistration),
                "registry",
                {"mlflow"},
                [_from(spec, MODEL), _from(spec, EVALUATION)],
                **_schema(columns.entry_columns()),
            )
        ],
        open=open_stage,
        problem=checks.registration_problem,
        every_day=checks.registration_metadata,
        report=report_parts.registration_parts,
        resources=frozenset({"registry", "tracking"}),
    )
