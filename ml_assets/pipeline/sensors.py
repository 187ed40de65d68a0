"""The sensor of a model: looks at the landing and requests exactly the days that changed and those that see them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.core.arrivals import NOTHING, Arrivals, affected_ranges, day_digest, days_to_request
from ml_assets.core.fingerprint import EXPIRED, digest, fingerprint
from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.ingestion import Ingestion, describe_objects
from ml_assets.resources.lake import Lake
from ml_assets.resources.landing import Landing
from ml_assets.resources.objects import StoredObject

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

# Dagster gives a tick 60 seconds.
SECONDS_PER_LOOK = 30.0
IsMade = Callable[[date, Sequence[StoredObject]], bool]
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@dataclass(frozen=True)
class Request:
    """A run over a range of days; the key is the same when the same change is requested again after a crash, and never otherwise."""

    first: date
    last: date
    key: str


@dataclass(frozen=True)
class Look:
    """What one look at the landing found: runs to request, the state to keep, and a sentence for people."""

    requests: list[Request]
    state: Arrivals
    note: str


def look(
    spec: ModelSpec,
    landing: Landing,
    is_made: IsMade,
    state: Arrivals,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> Look:
    """List the days of the look-back, newest first, and find those that the lake does not hold as they lie there and that were not requested yet.

    It lists one prefix a day and stops after SECONDS_PER_LOOK; the next look goes on from there. A day that is not complete is as it was.

    Args:
        spec: the model's specification.
        landing: where files land.
        is_made: whether the lake holds a day with these landed objects.
        state: what the last look kept.
        now: the time, with a zone.
        clock: seconds that pass, for the limit.
    """
    yesterday = now.astimezone(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1)
    newest = min(yesterday, spec.source.end or yesterday)
    oldest = max(spec.source.start, yesterday - spec.sensor.look_back + timedelta(days=1))
    begun, found, made, resume = clock(), {}, set(), None
    day = min(state.resume or newest, newest)
    while day >= oldest:
        if clock() - begun > SECONDS_PER_LOOK:
            resume = day
            break
        objects = landing.complete_objects(spec.source, spec.sensor, day, now)
        if objects is not None:
            found[day] = day_digest([(one.key, one.digest, one.size) for one in objects])
            if is_made(day, objects):
                made.add(day)
        day -= timedelta(days=1)
    changed = days_to_request(state.days, found, made)
    waiting = {**state.days, **{day: found[day] for day in changed}}
    waiting = {day: value for day, value in waiting.items() if day >= oldest and day not in made}
    landed = [day for day, value in found.items() if value != NOTHING]
    ranges = affected_ranges(changed, spec.reach_in_days(), max(landed, default=newest), spec.backfill.days_per_run)
    content = digest([[day, found[day]] for day in changed], state.requests)[:16]
    requests = [Request(first, last, f"{spec.name} {first}...{last} {content}") for first, last in ranges]
    looked = f"looked at {len(found)} complete days from {oldest} to {newest}"
    note = f"{looked}; changed: {', '.join(str(day) for day in changed)}" if changed else f"{looked}; nothing changed"
    if resume:
        note += f"; ran out of time, the next look begins at {resume}"
    return Look(requests, Arrivals(waiting, state.requests + len(requests), resume), note)


def is_made_by(spec: ModelSpec, lake: Lake, landing: Landing) -> IsMade:
    """Whether the lake holds raw data made from some landed objects; a day without objects that was never made counts as held,
    and so does one whose rows retention removed: it is made again when somebody asks for it."""
    stage = Ingestion(spec, lake, landing)

    def is_made(day: date, objects: Sequence[StoredObject]) -> bool:
        committed = stage.tables[stage.name].fingerprint(day)
        if committed == EXPIRED:
            return True
        return not objects if committed is None else committed == fingerprint(stage.code, stage.spec_part, describe_objects(objects))

    return is_made


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
        seen = look(spec, landing, is_made_by(spec, lake, landing), Arrivals.from_text(context.cursor), now)
        runs = [
            dg.RunRequest(run_key=request.key, tags={RANGE_START: str(request.first), RANGE_END: str(request.last), "model": spec.name})
            for request in seen.requests
        ]
        return dg.SensorResult(run_requests=runs or None, skip_reason=None if runs else seen.note, cursor=seen.state.to_text())

    return arrivals
