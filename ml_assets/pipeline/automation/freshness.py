"""The freshness check of a model: the rows of the newest day must be validated by the deadline."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.pipeline.asset_names import VALIDATED, asset_key
from ml_assets.pipeline.steps.retries import apply_retry_policy
from ml_assets.pipeline.steps.step_config import run_tags, step_settings
from ml_assets.resources.lake.lake import Lake

if TYPE_CHECKING:
    from ml_assets.resources.dagster_internals.asset_jobs import UnresolvedAssetJobDefinition

NEWEST_DAY_ON_TIME = "newest_day_on_time"
# Key of the day in the metadata of its result.
NEWEST_DAY = "day"
# Tag of a scheduled run with its deadline: a tick that was missed is run once the daemon is back.
DEADLINE_TAG = "ml_assets/deadline"


def newest_day_check(spec: ModelSpec) -> dg.AssetChecksDefinition:
    """Build the check of validated_data that yesterday has rows, whatever else was materialized since.

    It writes nothing and belongs to no pool, so it does not wait for a backfill that may be the reason for the delay.
    """

    settings = step_settings(spec, "freshness")

    @dg.asset_check(
        asset=asset_key(spec, VALIDATED),
        name=NEWEST_DAY_ON_TIME,
        description=f"The rows of yesterday (in {spec.source.time_zone}) are validated; evaluated at the deadline, and "
        "whenever it is executed.",
        op_tags=settings.op_tags,
    )
    def newest_day_on_time(context: dg.AssetCheckExecutionContext, lake: Lake) -> dg.AssetCheckResult:
        with apply_retry_policy(context.op_execution_context, settings, f"{spec.name}/{NEWEST_DAY_ON_TIME}"):
            zone = ZoneInfo(spec.source.time_zone)
            deadline = context.run.tags.get(DEADLINE_TAG)
            due = datetime.fromisoformat(deadline).astimezone(zone) if deadline else None
            return check_newest_day(spec, lake, datetime.now(zone), due)

    return newest_day_on_time


def check_newest_day(
    spec: ModelSpec, lake: Lake, now: datetime, deadline: datetime | None = None
) -> dg.AssetCheckResult:
    """Check that the day before the deadline has rows in validated_data; it passes before the first day of the source.

    Args:
        spec: the model's specification.
        lake: the lake.
        now: the time, in the time zone of the source.
        deadline: the deadline that is checked, in the same zone; now by default.
    """
    from ml_assets.core.tables.schemas import row_schema

    newest = (deadline or now).date() - timedelta(days=1)
    table = lake.table(spec.name, VALIDATED, row_schema(rows_feed(spec)))
    table.refresh()
    rows, is_made = table.row_counts(), table.is_committed(newest)
    state = (
        count(rows[newest], "row")
        if newest in rows
        else "made, without rows: rejected or missing"
        if is_made
        else "not made"
    )
    last = f"; the newest day with rows is {max(rows)}" if rows and newest not in rows else ""
    is_expected = newest >= spec.source.start
    description = f"{newest}: {state}, at {now:%Y-%m-%d %H:%M %Z}{last}"
    return dg.AssetCheckResult(
        passed=newest in rows or not is_expected, description=description, metadata={NEWEST_DAY: newest.isoformat()}
    )


def freshness_job(spec: ModelSpec, check: dg.AssetChecksDefinition) -> "UnresolvedAssetJobDefinition":
    """Build the job that runs the freshness check."""
    return dg.define_asset_job(
        f"{spec.name}_freshness",
        selection=dg.AssetSelection.checks(check),
        description=f"Checks that the newest day of {spec.name} has rows.",
        tags=run_tags(spec),
    )


def freshness_schedule(spec: ModelSpec, job: "UnresolvedAssetJobDefinition") -> dg.ScheduleDefinition:
    """Build the schedule that runs the job at each deadline."""
    assert spec.freshness.deadline is not None

    @dg.schedule(
        name=f"{spec.name}_freshness",
        job=job,
        cron_schedule=spec.freshness.deadline,
        execution_timezone=spec.source.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Checks at each deadline that the newest day of {spec.name} has rows.",
    )
    def deadline(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(tags={DEADLINE_TAG: context.scheduled_execution_time.isoformat()})

    return deadline
