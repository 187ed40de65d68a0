"""The sensor of a model: looks at the landing and requests exactly the days that changed and those that see them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.core.ingestion.sensor_cursor import FeedCursor, SensorCursor, affected_days, ranges_of
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.core.tables.fingerprint import digest
from ml_assets.pipeline.asset_names import LABEL_ASSETS
from ml_assets.pipeline.graph.assets import asset_key
from ml_assets.pipeline.ingestion.landing_scan import Effort, LandingScan, StandingOf, scan_landing
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.pipeline.steps.partition_tags import range_tags
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

# Dagster gives a tick 60 seconds.
SECONDS_PER_LOOK = 30.0
# A request lists at most 1,000 objects.
REQUESTS_PER_LOOK = 1_000


@dataclass(frozen=True)
class Request:
    """A run over a range of days; the key is the same when the same change is requested again after a crash, and never
    otherwise.

    only_labels: no rows of these days have landed yet.
    """

    first: date
    last: date
    key: str
    only_labels: bool = False


@dataclass(frozen=True)
class Look:
    """What one look at the landing found: runs to request, closed days whose change is refused, the state to keep, and
    a sentence for people.
    """

    requests: list[Request]
    refused: list[tuple[str, date]]
    state: SensorCursor
    note: str


def look(
    spec: ModelSpec,
    landing: Landing,
    standing: StandingOf,
    state: SensorCursor,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> Look:
    """Compare the look-back with the lake, for the files of the rows and of the labels, and request each difference
    once.

    It stops after SECONDS_PER_LOOK or REQUESTS_PER_LOOK list requests, half of them for each of two feeds; the next
    look goes on from there.

    Args:
        spec: the model's specification.
        landing: where files land.
        standing: how the lake's day stands to landed objects.
        state: what the last look kept.
        now: the time, with a zone.
        clock: seconds that pass, for the limit.
    """
    feeds = [feed for feed in (rows_feed(spec), labels_feed(spec)) if feed]
    found: dict[str, LandingScan] = {}
    for feed in feeds:
        effort = Effort(clock, SECONDS_PER_LOOK / len(feeds), max(REQUESTS_PER_LOOK // len(feeds), 1))
        # A marker says that the rows of a day are there.
        sensor = spec.sensor if feed.event_time else spec.sensor.model_copy(update={"marker": None})
        found[feed.raw] = scan_landing(
            feed, sensor, landing, standing, state.feeds.get(feed.raw, FeedCursor()), now, effort
        )
    requests = []
    for first, last, only_labels in _ranges(spec, *found.values()):
        # What changed elsewhere in the meantime does not matter to a range.
        sees_from = first - timedelta(days=spec.reach_in_days())
        content = [
            [name, day, seen.found[day]]
            for name, seen in found.items()
            for day in seen.changed
            if sees_from <= day <= last
        ]
        key = f"{spec.name} {first}...{last} {digest(content, state.requests)[:16]}"
        requests.append(Request(first, last, key, only_labels))
    memory = SensorCursor(state.requests + len(requests), {name: seen.arrivals for name, seen in found.items()})
    refused = [(name, day) for name, seen in found.items() for day in seen.refused]
    return Look(requests, refused, memory, ". ".join(seen.note() for seen in found.values()))


def _ranges(spec: ModelSpec, rows: LandingScan, labels: LandingScan | None = None) -> list[tuple[date, date, bool]]:
    """(first, last, whether labels alone are made) of each run, oldest first, so that what features read is made before
    them.
    """
    most, reach = spec.backfill.days_per_run, spec.reach_in_days()
    # Rows of later days may be on their way: a run would report their days as missing.
    landed = rows.landed or date.min
    days = affected_days(rows.changed, reach, landed)
    label_days = affected_days(labels.changed, reach if spec.target_features() else 0, landed) if labels else set()
    early = {day for day in label_days if day > landed} - days
    return [(*of, False) for of in ranges_of((days | label_days) - early - rows.incomplete, most)] + [
        (*of, True) for of in ranges_of(early, most)
    ]


def standing_in(spec: ModelSpec, lake: Lake, landing: Landing) -> StandingOf:
    """How days of the lake stand to landed objects."""
    feeds = [feed for feed in (rows_feed(spec), labels_feed(spec)) if feed]
    stages = {feed.raw: Ingestion(feed, spec.late_data, lake, landing) for feed in feeds}
    return lambda feed, day, objects: stages[feed.raw].standing(day, objects)


def arrivals_sensor(spec: ModelSpec, job: "UnresolvedAssetJobDefinition") -> dg.SensorDefinition:
    """Requests a run of `job` for each range of days that new, rewritten, added or removed files can be seen on."""

    @dg.sensor(
        name=f"{spec.name}_arrivals",
        job=job,
        minimum_interval_seconds=int(spec.sensor.every.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING if spec.sensor.enabled else dg.DefaultSensorStatus.STOPPED,
        description=f"Makes the days of {spec.name} again whose landed files changed, and the feature days that see them.",
    )
    def arrivals(context: dg.SensorEvaluationContext, landing: Landing, lake: Lake) -> dg.SensorResult:
        now = datetime.now(ZoneInfo(spec.source.time_zone))
        seen = look(spec, landing, standing_in(spec, lake, landing), SensorCursor.from_text(context.cursor), now)
        runs = [_run(spec, request) for request in seen.requests]
        refused = [
            dg.AssetObservation(asset_key(spec, name), partition=day.isoformat(), metadata={"problem": REFUSED})
            for name, day in seen.refused
        ]
        if refused:
            context.log.warning(seen.note)
        return dg.SensorResult(
            run_requests=runs or None,
            skip_reason=None if runs else seen.note,
            cursor=seen.state.to_text(),
            asset_events=refused,
        )

    return arrivals


REFUSED = (
    "its landed files changed after it was closed (late_data) and are refused; materialising the day says which files"
)


def _run(spec: ModelSpec, request: Request) -> dg.RunRequest:
    tags = {**range_tags(request.first, request.last), "model": spec.name}
    only = [asset_key(spec, name) for name in LABEL_ASSETS] if request.only_labels else None
    return dg.RunRequest(run_key=request.key, tags=tags, asset_selection=only)
