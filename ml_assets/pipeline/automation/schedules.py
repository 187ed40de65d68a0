"""The daily schedule of a model."""

from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.ingestion.first_use import why_unused
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from ml_assets.resources.dagster_internals.asset_jobs import UnresolvedAssetJobDefinition


def daily_schedule(spec: ModelSpec, job: "UnresolvedAssetJobDefinition") -> dg.ScheduleDefinition:
    """Build the schedule that runs the job for the newest complete day, and skips a day without landed files."""

    @dg.schedule(
        name=f"{spec.name}_daily",
        job=job,
        cron_schedule=spec.schedule.cron,
        execution_timezone=spec.source.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if spec.schedule.enabled else dg.DefaultScheduleStatus.STOPPED,
        description=f"Runs the newest complete day of {spec.name}.",
    )
    def newest_day(
        context: dg.ScheduleEvaluationContext, landing: Landing, lake: Lake
    ) -> dg.RunRequest | dg.SkipReason:
        day = context.scheduled_execution_time.date() - timedelta(days=1)
        if day < spec.source.start or (spec.source.end is not None and day > spec.source.end):
            return dg.SkipReason(
                f"{day} lies outside the data of {spec.name}, {spec.source.start} to {spec.source.end or 'now'}"
            )
        if reason := why_unused(spec, lake, landing):
            return dg.SkipReason(reason)
        if not landing.objects_of_day(spec.source, day):
            return dg.SkipReason(
                f"no files of {spec.name} have landed for {day}; looked for {spec.source.files} under {landing.uri}"
            )
        return dg.RunRequest(run_key=day.isoformat(), partition_key=day.isoformat())

    return newest_day
