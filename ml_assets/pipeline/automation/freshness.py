"""Late partitions: when the assets of a model count as stale, and the check that the newest day is there by the
deadline.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.asset_names import VALIDATED
from ml_assets.pipeline.steps.retries import apply_retry_policy
from ml_assets.pipeline.steps.step_config import run_tags, step_settings
from ml_assets.resources.lake.lake import Lake

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

NEWEST_DAY_ON_TIME = "newest_day_on_time"
# Name in the metadata of its result.
NEWEST_DAY = "day"


def newest_day_check(spec: ModelSpec) -> dg.AssetChecksDefinition:
    """The check of validated_data that yesterday's partition is there, whatever else was materialised since.

    It writes nothing, and is in no pool: it does not wait for a backfill that may be why the day is late.
    """

    settings = step_settings(spec, "freshness")

    @dg.asset_check(
        asset=dg.AssetKey([spec.name, VALIDATED]),
        name=NEWEST_DAY_ON_TIME,
        description=f"The rows of yesterday (of {spec.source.time_zone}) are there; judged at the deadline, and whenever it is executed.",
        op_tags=settings.op_tags,
    )
    def newest_day_on_time(context: dg.AssetCheckExecutionContext, lake: Lake) -> dg.AssetCheckResult:
        with apply_retry_policy(context.op_execution_context, settings, f"{spec.name}/{NEWEST_DAY_ON_TIME}"):
            return check_newest_day(spec, lake, datetime.now(ZoneInfo(spec.source.time_zone)))

    return newest_day_on_time


def check_newest_day(spec: ModelSpec, lake: Lake, now: datetime) -> dg.AssetCheckResult:
    """Whether the day before `now` (in the time zone of the source) has rows in validated_data; before the first day
    nothing is expected.
    """
    from ml_assets.core.tables.schemas import row_schema

    newest = now.date() - timedelta(days=1)
    table = lake.table(spec.name, VALIDATED, row_schema(rows_feed(spec)))
    table.refresh()
    rows, is_made = table.row_counts(), table.fingerprint(newest) not in (None, EXPIRED)
    said = (
        f"{rows[newest]:,} rows"
        if newest in rows
        else "made, without rows: rejected or missing"
        if is_made
        else "not made"
    )
    last = f"; the newest day with rows is {max(rows)}" if rows and newest not in rows else ""
    is_expected = newest >= spec.source.start
    about = f"{newest}: {said}, at {now:%Y-%m-%d %H:%M %Z}{last}"
    return dg.AssetCheckResult(
        passed=newest in rows or not is_expected, description=about, metadata={NEWEST_DAY: newest.isoformat()}
    )


def freshness_job(spec: ModelSpec, check: dg.AssetChecksDefinition) -> "UnresolvedAssetJobDefinition":
    """The job that looks whether the newest day is there."""
    return dg.define_asset_job(
        f"{spec.name}_freshness",
        selection=dg.AssetSelection.checks(check),
        description=f"Looks whether the newest day of {spec.name} is there.",
        tags=run_tags(spec),
    )


def freshness_schedule(spec: ModelSpec, job: "UnresolvedAssetJobDefinition") -> dg.ScheduleDefinition:
    """Runs the job at each deadline."""
    assert spec.freshness.deadline is not None
    return dg.ScheduleDefinition(
        name=f"{spec.name}_freshness",
        job=job,
        cron_schedule=spec.freshness.deadline,
        execution_timezone=spec.source.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Looks at each deadline whether the newest day of {spec.name} is there.",
    )
