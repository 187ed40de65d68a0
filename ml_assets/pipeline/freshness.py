"""Late partitions: when the assets of a model count as stale, and the check that the newest day is there by the deadline."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.core.fingerprint import EXPIRED
from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.feed import rows_feed
from ml_assets.pipeline.validation import VALIDATED
from ml_assets.resources.lake import Lake

NEWEST_DAY_ON_TIME = "newest_day_on_time"


def freshness_policy(spec: ModelSpec) -> dg.FreshnessPolicy | None:
    """Dagster's policy for the assets that have to follow each day; None where the specification expects nothing, or the data have an end.

    Dagster looks at the last materialisation of any partition. A backfill of old days makes an asset look fresh; see `newest_day_check`.
    """
    deadline = spec.freshness.deadline
    if deadline is None or spec.source.end is not None:
        return None
    return dg.FreshnessPolicy.cron(deadline_cron=deadline, lower_bound_delta=spec.freshness.lower_bound, timezone=spec.source.time_zone)


def newest_day_check(spec: ModelSpec) -> dg.AssetChecksDefinition:
    """The check of validated_data that yesterday's partition is there, whatever else was materialised since."""

    @dg.asset_check(
        asset=dg.AssetKey([spec.name, VALIDATED]),
        name=NEWEST_DAY_ON_TIME,
        description=f"The rows of yesterday (of {spec.source.time_zone}) are there; judged at the deadline, and whenever it is executed.",
    )
    def newest_day_on_time(lake: Lake) -> dg.AssetCheckResult:
        from ml_assets.core.schemas import row_schema

        now = datetime.now(ZoneInfo(spec.source.time_zone))
        newest = now.date() - timedelta(days=1)
        table = lake.table(spec.name, VALIDATED, row_schema(rows_feed(spec)))
        table.refresh()
        rows, is_made = table.row_counts(), table.fingerprint(newest) not in (None, EXPIRED)
        passed = newest in rows or newest < spec.source.start
        said = f"{rows.get(newest, 0):,} rows" if is_made else "it was not made"
        last = f"; the newest day with rows is {max(rows)}" if rows and newest not in rows else ""
        return dg.AssetCheckResult(passed=passed, description=f"{newest} at {now:%Y-%m-%d %H:%M %Z}: {said}{last}")

    return newest_day_on_time


def freshness_job(spec: ModelSpec, check: dg.AssetChecksDefinition) -> "dg.JobDefinition":
    """The job that looks whether the newest day is there."""
    return dg.define_asset_job(
        f"{spec.name}_freshness",
        selection=dg.AssetSelection.checks(check),
        description=f"Looks whether the newest day of {spec.name} is there.",
        tags={"model": spec.name},
    )


def freshness_schedule(spec: ModelSpec, job: "dg.JobDefinition") -> dg.ScheduleDefinition:
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
