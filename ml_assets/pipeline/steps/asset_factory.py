"""A step as Dagster assets, daily partitioned and made by one op."""

import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import model_and_asset, step_name
from ml_assets.pipeline.engine.model_project import claim_model
from ml_assets.pipeline.engine.run_guard import RunGuard
from ml_assets.pipeline.steps.redacted_events import redact_events
from ml_assets.pipeline.steps.retries import apply_retry_policy
from ml_assets.pipeline.steps.run_stage import run_stage
from ml_assets.pipeline.steps.stage_step import StageStep
from ml_assets.pipeline.steps.step_config import step_settings

Run = Callable[[StageStep, dg.AssetExecutionContext, RunGuard], Iterator[Any]]


def build_step_assets(
    step: StageStep,
    run: Run = run_stage,
    change_asset: Callable[[dg.AssetSpec], dg.AssetSpec] = lambda asset: asset,
    change_check: Callable[[dg.AssetCheckSpec], dg.AssetCheckSpec] = lambda check: check,
    project: str | None = None,
) -> dg.AssetsDefinition:
    """Build the Dagster assets of one stage, with their checks.

    Args:
        step: the stage as a step.
        run: yields the events of a run of the step.
        change_asset: applies the changes of the model's component to the specification of an asset; the key stays.
        change_check: applies its changes to the specification of a check; name and asset stay.
        project: the project that the tables have to belong to; None if it is not known.
    """
    spec, asset_specs = step.spec, step.asset_specs
    main = model_and_asset(asset_specs[0].key) or ("", "")
    # A run may select only one of the assets, and a run of experiments makes none.
    is_skippable = len(asset_specs) > 1 or step.config is not None
    settings = step_settings(spec, main[-1])

    @dg.multi_asset(
        name=step_name(spec, main[-1]),
        specs=[change_asset(asset).replace_attributes(skippable=is_skippable) for asset in asset_specs],
        check_specs=[with_partitions(spec, change_check(check)) for check in step.check_specs],
        backfill_policy=_backfill_policy(spec),
        required_resource_keys={"lake", "landing", *step.resources},
        config_schema=step.config.to_fields_dict() if step.config else None,
        op_tags=settings.op_tags,
        # The instance allows one run at a time in a pool.
        pool=settings.pool,
        # A stage makes all its tables, but a run may select its assets one at a time.
        can_subset=len(asset_specs) > 1,
    )
    def make(context: dg.AssetExecutionContext) -> Iterator[Any]:
        with apply_retry_policy(context, settings, "/".join(main)):
            claim_model(context.resources.lake, spec.name, project)
            guard = RunGuard(context.instance, context.run_id, settings.longest)
            yield from redact_events(run(step, context, guard))

    return make


def with_partitions(spec: ModelSpec, check: dg.AssetCheckSpec) -> dg.AssetCheckSpec:
    """Give a check the partitions of its asset if `checks.by_partition` is set, which uses a preview feature of
    Dagster.
    """
    if not spec.checks.by_partition:
        return check
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=dg.PreviewWarning)
        return dg.AssetCheckSpec(
            check.name,
            asset=check.asset_key,
            description=check.description,
            additional_deps=check.additional_deps,
            blocking=check.blocking,
            metadata=check.metadata,
            automation_condition=check.automation_condition,
            partitions_def=partitions(spec),
        )


def partitions(spec: ModelSpec) -> dg.DailyPartitionsDefinition:
    """Define one partition per day in the time zone of the source, from its start to its end or to yesterday."""
    end = spec.source.end + timedelta(days=1) if spec.source.end else None
    return dg.DailyPartitionsDefinition(
        start_date=spec.source.start.isoformat(),
        end_date=end.isoformat() if end else None,
        timezone=spec.source.time_zone,
    )


def _backfill_policy(spec: ModelSpec) -> dg.BackfillPolicy:
    if spec.backfill.days_per_run is None:
        return dg.BackfillPolicy.single_run()
    return dg.BackfillPolicy.multi_run(max_partitions_per_run=spec.backfill.days_per_run)
