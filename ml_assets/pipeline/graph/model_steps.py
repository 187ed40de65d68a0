"""The steps that make a model of a day: training, evaluation and registration. The search has a module of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from typing import Any

import dagster as dg

from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.core.tables import columns
from ml_assets.core.training.time_split import HistoryTooShort, split_days
from ml_assets.pipeline.asset_names import ENTRY, EVALUATION, FEATURES, LABELS, MODEL, SEARCH, asset_key
from ml_assets.pipeline.engine.run_guard import RunGuard
from ml_assets.pipeline.evaluation.experiments import run_experiments
from ml_assets.pipeline.evaluation.holdout import Holdout
from ml_assets.pipeline.evaluation.metadata import evaluation_metadata, evaluation_problem, plot_metadata
from ml_assets.pipeline.evaluation.report import evaluation_parts
from ml_assets.pipeline.evaluation.stage import ModelEvaluation
from ml_assets.pipeline.features.checks import MIN_DRIFT_DAYS
from ml_assets.pipeline.graph import column_schemas
from ml_assets.pipeline.graph.asset_specs import asset, depends, paragraph, schema_below_figures
from ml_assets.pipeline.graph.check_inputs import EVALUATION_MODULES, evaluation_inputs
from ml_assets.pipeline.graph.checks import complete_evaluation_checks, evaluate_evaluation_checks, evaluation_checks
from ml_assets.pipeline.graph.stages import builder_of
from ml_assets.pipeline.release.metadata import registration_metadata, registration_problem
from ml_assets.pipeline.release.registration_report import registration_parts
from ml_assets.pipeline.release.registration_stage import ModelRegistration
from ml_assets.pipeline.release.rejected_models import track_rejected_models
from ml_assets.pipeline.steps.check_results import CheckRun, output_without_result
from ml_assets.pipeline.steps.kept_checks import Inputs
from ml_assets.pipeline.steps.run_stage import days_of_run, run_stage
from ml_assets.pipeline.steps.stage_step import StageStep
from ml_assets.pipeline.training.checkpoints import remove_checkpoints
from ml_assets.pipeline.training.config import TrainingConfig, is_experiment, read_overrides
from ml_assets.pipeline.training.metadata import due_checks, evaluate_due, model_metadata, training_problem
from ml_assets.pipeline.training.progress import TrainingProgress
from ml_assets.pipeline.training.stage import ModelTraining
from ml_assets.resources.mlflow.model_record import ModelRecord
from ml_assets.resources.registry.model_registry import RegisteredVersion


class TrainingStep(StageStep[ModelTraining]):
    """trained_model."""

    resources = frozenset({"tracking"})
    config = TrainingConfig
    is_reported = False

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The model of a day."""
        spec = self.spec
        last = 2 * spec.label_delay.days + spec.evaluation.holdout.days
        first = last + spec.training.window.days - 1
        labels = [depends(spec, LABELS, first)] if spec.labels else []
        search = [depends(spec, SEARCH)] if spec.training.search else []
        if "drift" in spec.training.when:
            first, last = max(first, last + MIN_DRIFT_DAYS - 1), 0
        deps, kinds = [depends(spec, FEATURES, first, last), *labels, *search], {"xgboost", "scikitlearn"}
        metadata = schema_below_figures(column_schemas.table_columns(columns.TRAINED_MODEL))
        return [asset(spec, MODEL, paragraph(ModelTraining), "training", kinds, deps, **metadata)]

    @property
    def check_specs(self) -> Sequence[dg.AssetCheckSpec]:
        """The check that a model was trained when it was due."""
        return due_checks(self.spec, asset_key(self.spec, MODEL))

    def evaluate_checks(self, stage: ModelTraining, days: Sequence[date], newest: date) -> Iterator[CheckRun]:
        """Evaluate the check that a model was trained when it was due."""
        return evaluate_due(stage, days, asset_key(self.spec, MODEL))

    def build(self, context: dg.AssetExecutionContext) -> ModelTraining:
        """Build the stage for a run, with the overrides of the run."""
        follow, overrides = TrainingProgress(self.spec, context).follow, read_overrides(context, self.spec)
        return builder_of(self.spec, context).training(context.log.info, follow, overrides)

    def problem(self, stage: ModelTraining, day: date) -> str | None:
        """Say why there is no model."""
        return training_problem(stage, day)

    def metadata(self, stage: ModelTraining, day: date) -> Mapping[str, Any]:
        """Digest, rounds, rows and threshold."""
        return model_metadata(stage, day)

    def after_days(
        self, context: dg.AssetExecutionContext, stage: ModelTraining, days: Sequence[date], changed: Sequence[date]
    ) -> None:
        """Remove the checkpoints, which finished models no longer need."""
        remove_checkpoints(context.resources.lake, self.spec.name, days)


def run_training(step: TrainingStep, context: dg.AssetExecutionContext, guard: RunGuard) -> Iterator[Any]:
    """Run the step, or the experiments if the run has overrides and does not ask for candidates."""
    if not is_experiment(context):
        yield from run_stage(step, context, guard)
        return
    days = days_of_run(step, context)
    holdout = Holdout(step.spec, context.resources.lake, context.resources.landing)
    yield from run_experiments(context, step.build(context), holdout, days)
    for check in context.selected_asset_check_keys:
        yield output_without_result(context, check)


class EvaluationStep(StageStep[ModelEvaluation]):
    """evaluation."""

    check_modules = EVALUATION_MODULES
    resources = frozenset({"registry", "tracking"})

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The scores of the holdout."""
        spec, last = self.spec, self.spec.label_delay.days
        first = last + spec.evaluation.holdout.days - 1
        if spec.evaluation.exclude_known_positives:
            first += spec.label_delay.days + (spec.evaluation.known_positives_window or spec.training.window).days
        labels = [depends(spec, LABELS, first)] if spec.labels else []
        deps, kinds = (
            [depends(spec, MODEL), depends(spec, FEATURES, first, last), *labels],
            {"deltalake", "scikitlearn"},
        )
        metadata = schema_below_figures(column_schemas.scored_holdout_columns(spec))
        return [asset(spec, EVALUATION, paragraph(ModelEvaluation), "evaluation", kinds, deps, **metadata)]

    @property
    def check_specs(self) -> Sequence[dg.AssetCheckSpec]:
        """Gates, labels of the holdout, and drift of scores."""
        return evaluation_checks(self.spec, asset_key(self.spec, EVALUATION))

    def build(self, context: dg.AssetExecutionContext) -> ModelEvaluation:
        """Build the stage for a run."""
        return builder_of(self.spec, context).evaluation(context.resources.registry)

    def problem(self, stage: ModelEvaluation, day: date) -> str | None:
        """Say why nothing was evaluated."""
        return evaluation_problem(stage, day)

    def metadata(self, stage: ModelEvaluation, day: date) -> Mapping[str, Any]:
        """Metrics on the whole holdout."""
        return evaluation_metadata(stage, day)

    def newest_metadata(self, stage: ModelEvaluation, day: date) -> Mapping[str, Any]:
        """Lineage of the columns, plots, and the metrics with intervals and slices as a table."""
        lineage = column_schemas.scored_lineage(self.spec, self.spec.identity_columns())
        return {"dagster/column_lineage": lineage, **plot_metadata(stage, day)}

    def evaluate_checks(self, stage: ModelEvaluation, days: Sequence[date], newest: date) -> Iterator[CheckRun]:
        """Evaluate the checks on some days of a run."""
        return evaluate_evaluation_checks(self.spec, stage, days, asset_key(self.spec, EVALUATION))

    def check_inputs(self, stage: ModelEvaluation, day: date) -> Inputs:
        """The day, earlier evaluations and labels."""
        return evaluation_inputs(self.spec, stage, day)

    def complete_checks(
        self, stage: ModelEvaluation, days: Sequence[date], evaluated: Sequence[date], runs: Sequence[CheckRun]
    ) -> list[CheckRun]:
        """Complete the gates over all days of the run, and add how MLflow differs from the ledger."""
        return complete_evaluation_checks(stage, days, evaluated, runs)

    def days_read_by_checks(self, stage: ModelEvaluation, day: date) -> Sequence[date]:
        """The days of training window and holdout."""
        try:
            split = split_days(self.spec, day)
        except HistoryTooShort:
            return []
        return [*split.window, *split.holdout]

    def report_parts(self, stage: ModelEvaluation, days: Sequence[date]) -> Iterator[Part]:
        """The model, its metrics, and its plots."""
        return evaluation_parts(stage, days)

    def after_days(
        self, context: dg.AssetExecutionContext, stage: ModelEvaluation, days: Sequence[date], changed: Sequence[date]
    ) -> None:
        """Track the models that failed a gate in MLflow."""
        if changed:
            registration = builder_of(self.spec, context).registration(context.resources.registry)
            track_rejected_models(context, registration, changed)


class RegistrationStep(StageStep[ModelRegistration]):
    """model_registry_entry."""

    resources = frozenset({"registry", "tracking"})

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The version of a model in the registry."""
        deps = [depends(self.spec, MODEL), depends(self.spec, EVALUATION)]
        metadata = schema_below_figures(column_schemas.table_columns(columns.REGISTRY_ENTRY))
        return [asset(self.spec, ENTRY, paragraph(ModelRegistration), "registry", {"mlflow"}, deps, **metadata)]

    def build(self, context: dg.AssetExecutionContext) -> ModelRegistration:
        """Build the stage read-only: it does not register models."""
        return builder_of(self.spec, context).registration(context.resources.registry)

    @contextmanager
    def open(self, context: dg.AssetExecutionContext, guard: RunGuard) -> Iterator[ModelRegistration]:
        """Build the stage for a run, which registers in MLflow; all its models are in one MLflow run."""
        registry = context.resources.registry
        with context.resources.tracking.run(context, self.spec.name) as run:

            def register(record: ModelRecord) -> RegisteredVersion:
                guard.check_before_publishing()
                return registry.register(run, record)

            yield builder_of(self.spec, context).registration(registry, register)

    def problem(self, stage: ModelRegistration, day: date) -> str | None:
        """Say why there is no entry."""
        return registration_problem(stage, day)

    def metadata(self, stage: ModelRegistration, day: date) -> Mapping[str, Any]:
        """Version and digest, and the page in MLflow."""
        return registration_metadata(stage, day)

    def report_parts(self, stage: ModelRegistration, days: Sequence[date]) -> Iterator[Part]:
        """The version in the registry."""
        return registration_parts(stage, days)
