"""The arrivals sensor of a model: requests runs for exactly the days that changed files affect."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.core.ingestion.sensor_cursor import FeedCursor, SensorCursor, find_affected_days, group_into_ranges
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.core.tables.fingerprint import digest
from ml_assets.pipeline.asset_names import FEATURES, LABEL_ASSETS, VALIDATED, asset_key
from ml_assets.pipeline.automation.range_requests import (
    RangeRequest,
    describe_history,
    request_history,
    with_first_look_back,
)
from ml_assets.pipeline.engine.model_project import check_project
from ml_assets.pipeline.ingestion.first_use import why_unused
from ml_assets.pipeline.ingestion.landing_scan import CompareDay, LandingScan, ScanBudget, scan_landing
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.pipeline.steps.partition_tags import range_tags
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from ml_assets.resources.dagster_internals.asset_jobs import UnresolvedAssetJobDefinition

# Dagster gives a tick 60 seconds.
SECONDS_PER_TICK = 30.0
# A request lists at most 1,000 objects.
REQUESTS_PER_TICK = 1_000

REFUSED_CHANGE = (
    "its landed files changed after it was closed (late_data) and are refused; materialize the day to see which files"
)


@dataclass(frozen=True)
class ArrivalsScan:
    """The result of one tick: runs to request, closed days whose changes are refused (table, day), the cursor to keep,
    the age of the newest landed rows in days before yesterday (0 if nothing has landed or the scan is to be resumed),
    and a summary for the log.
    """

    requests: list[RangeRequest]
    refused: list[tuple[str, date]]
    cursor: SensorCursor
    days_behind: int
    summary: str


def scan_arrivals(
    spec: ModelSpec,
    landing: Landing,
    compare_day: CompareDay,
    cursor: SensorCursor,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
    seconds: float = SECONDS_PER_TICK,
) -> ArrivalsScan:
    """Compare landed files of rows and labels within the look-back with the lake, and request each difference once.

    The scan stops at its time limit or after REQUESTS_PER_TICK list requests, which two feeds share equally; the next
    tick resumes there.

    Args:
        spec: the model's specification.
        landing: where files land.
        compare_day: compares a day in the lake with landed objects.
        cursor: the cursor that the last tick kept.
        now: the time, with a zone.
        clock: monotonic clock in seconds, for the limit.
        seconds: the time limit.
    """
    feeds = [feed for feed in (rows_feed(spec), labels_feed(spec)) if feed]
    scans: dict[str, LandingScan] = {}
    for feed in feeds:
        budget = ScanBudget(clock, seconds / len(feeds), max(REQUESTS_PER_TICK // len(feeds), 1))
        # A marker says that the rows of a day are complete; labels have none.
        sensor = spec.sensor if feed.event_time else spec.sensor.model_copy(update={"marker": None})
        feed_cursor = cursor.feeds.get(feed.raw, FeedCursor())
        scans[feed.raw] = scan_landing(feed, sensor, landing, compare_day, feed_cursor, now, budget)
    requests = []
    for first, last, only_labels in _ranges(spec, *scans.values()):
        # The key depends only on changes that the range can see.
        visible_from = first - timedelta(days=spec.reach_in_days())
        content = [
            [name, day, change]
            for name, scan in scans.items()
            for day, change in scan.changed.items()
            if visible_from <= day <= last
        ]
        key = f"{spec.name} {first}...{last} {digest(content, cursor.requests)[:16]}"
        # No rows of these days have landed yet.
        requests.append(RangeRequest(first, last, key, LABEL_ASSETS if only_labels else ()))
    next_cursor = replace(
        cursor,
        requests=cursor.requests + len(requests),
        feeds={name: scan.cursor for name, scan in scans.items()},
    )
    refused = [(name, day) for name, scan in scans.items() for day in scan.refused]
    rows = scans[rows_feed(spec).raw]
    yesterday = now.astimezone(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1)
    days_behind = (yesterday - rows.landed).days if rows.landed and not rows.cursor.resume else 0
    summary = ". ".join(scan.describe() for scan in scans.values())
    return ArrivalsScan(requests, refused, next_cursor, days_behind, summary)


def _scan_new_lake(
    spec: ModelSpec, landing: Landing, compare_day: CompareDay, cursor: SensorCursor, now: datetime
) -> ArrivalsScan:
    """Scan as far back as a model of the newest landed day reads; scan twice if that day is before yesterday."""
    scan = partial(scan_arrivals, landing=landing, compare_day=compare_day, cursor=cursor, now=now)
    first = scan(with_first_look_back(spec), seconds=SECONDS_PER_TICK / 2)
    if not first.days_behind:
        return first
    return scan(with_first_look_back(spec, first.days_behind), seconds=SECONDS_PER_TICK / 2)


def _ranges(spec: ModelSpec, rows: LandingScan, labels: LandingScan | None = None) -> list[tuple[date, date, bool]]:
    """Return (first, last, only_labels) of each run, oldest first, so that the days that features read are computed
    before them.
    """
    days_per_run, reach = spec.backfill.days_per_run, spec.reach_in_days()
    # Rows of later days may still arrive, and a run would report their days as missing.
    landed = rows.landed or date.min
    days = find_affected_days(rows.changed, reach, landed)
    label_days = find_affected_days(labels.changed, reach if spec.target_features() else 0, landed) if labels else set()
    days_without_rows = {day for day in label_days if day > landed} - days
    complete_days = (days | label_days) - days_without_rows - rows.incomplete
    return [(first, last, False) for first, last in group_into_ranges(complete_days, days_per_run)] + [
        (first, last, True) for first, last in group_into_ranges(days_without_rows, days_per_run)
    ]


def compare_with_lake(spec: ModelSpec, lake: Lake, landing: Landing) -> CompareDay:
    """Return a function that compares a day in the lake with landed objects."""
    feeds = [feed for feed in (rows_feed(spec), labels_feed(spec)) if feed]
    stages = {feed.raw: Ingestion(feed, spec.late_data, lake, landing, spec.sensor.look_back) for feed in feeds}
    return lambda feed, day, objects: stages[feed.raw].compare(day, objects)


def validated_in_lake(spec: ModelSpec, lake: Lake) -> Callable[[date], bool]:
    """Return a function that tells whether the lake has a validated day."""
    from ml_assets.core.tables.schemas import row_schema

    table = lake.table(spec.name, VALIDATED, row_schema(rows_feed(spec)))
    return lambda day: table.fingerprint(day) is not None


def arrivals_sensor(
    spec: ModelSpec, job: "UnresolvedAssetJobDefinition", project: str | None = None
) -> dg.SensorDefinition:
    """Build the sensor that requests a run of `job` for each range of days affected by new, rewritten, added or removed
    files. Its ticks fail while the tables of the model belong to another project than `project`.
    """

    @dg.sensor(
        name=f"{spec.name}_arrivals",
        job=job,
        minimum_interval_seconds=int(spec.sensor.every.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING if spec.sensor.enabled else dg.DefaultSensorStatus.STOPPED,
        description=f"Requests runs for the days of {spec.name} whose landed files changed, and for the feature days "
        "that read them.",
    )
    def arrivals(context: dg.SensorEvaluationContext, landing: Landing, lake: Lake) -> dg.SensorResult:
        check_project(lake.files, lake.uri, spec.name, project)
        if reason := why_unused(spec, lake, landing):
            return dg.SensorResult(skip_reason=reason)
        now = datetime.now(ZoneInfo(spec.source.time_zone))
        cursor = _read_cursor(context, now)
        scan_of_tick = scan_arrivals if lake.exists(spec.name, FEATURES) else _scan_new_lake
        scan = scan_of_tick(spec, landing, compare_with_lake(spec, lake, landing), cursor, now)
        history = request_history(spec, landing, validated_in_lake(spec, lake), scan.requests, now)
        requested = digest([request.key for request in history])[:16] if history else ""
        if requested != cursor.history and history:
            # The runs of one tick are queued in any order, so runs that read the history are requested by the next
            # tick.
            context.log.info(f"{spec.name}: {describe_history(history)}. The days themselves are requested next")
            return dg.SensorResult(
                run_requests=[_run_request(spec, request, cursor) for request in history],
                cursor=replace(cursor, history=requested).to_text(),
            )
        run_requests = [_run_request(spec, request, cursor) for request in scan.requests]
        observations = [
            dg.AssetObservation(asset_key(spec, name), partition=day.isoformat(), metadata={"problem": REFUSED_CHANGE})
            for name, day in scan.refused
        ]
        if observations:
            context.log.warning(scan.summary)
        return dg.SensorResult(
            run_requests=run_requests or None,
            skip_reason=None if run_requests else scan.summary,
            cursor=scan.cursor.to_text(),
            asset_events=observations,
        )

    return arrivals


def _read_cursor(context: dg.SensorEvaluationContext, now: datetime) -> SensorCursor:
    """Read the cursor of the last tick; start over if there is none, or somebody edited it."""
    if context.cursor:
        try:
            return SensorCursor.from_text(context.cursor)
        except ValueError as error:
            context.log.warning(f"The sensor begins without a cursor: {error}")
    return SensorCursor(begun=int(now.timestamp()))


def _run_request(spec: ModelSpec, request: RangeRequest, cursor: SensorCursor) -> dg.RunRequest:
    # Dagster skips a request whose run key has a run, even if that run failed and somebody reset the cursor since.
    run_key = f"{request.key} {cursor.begun}" if cursor.begun else request.key
    tags = {**range_tags(request.first, request.last), "model": spec.name}
    selection = [asset_key(spec, name) for name in request.assets] or None
    return dg.RunRequest(run_key=run_key, tags=tags, asset_selection=selection)
