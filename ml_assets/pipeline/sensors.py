"""The sensor of a model: looks at the landing and requests exactly the days that changed and those that see them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.core.arrivals import NOTHING, Arrivals, affected_ranges, day_digest, days_to_request, stretches
from ml_assets.core.fingerprint import digest, fingerprint
from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.assets import reach_in_days
from ml_assets.pipeline.ingestion import Ingestion, describe_objects
from ml_assets.resources.lake import Lake
from ml_assets.resources.landing import Landing
from ml_assets.resources.objects import StoredObject

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

# Dagster gives a tick 60 seconds.
SECONDS_PER_LOOK = 30.0
# A request lists at most 1,000 objects.
REQUESTS_PER_LOOK = 1_000
# Days of the first stretch of a look.
FIRST_STRETCH = 32
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

    It stops after SECONDS_PER_LOOK or REQUESTS_PER_LOOK list requests, but not within a day; the next look goes on from there. A day that is not
    complete is as it was.

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
    effort, found, resume = _Effort(clock), {}, None
    # A look that goes on begins with one day, so that it gets on however many files a day has.
    for first, last in stretches(min(state.resume or newest, newest), oldest, 1 if state.resume else FIRST_STRETCH):
        part = _look_at(spec, landing, is_made, first, last, now, effort)
        if part is None:
            resume = last
            break
        found |= part
        if first > oldest and effort.is_spent():
            resume = first - timedelta(days=1)
            break
    made = {day for day, (_, is_held) in found.items() if is_held}
    found = {day: value for day, (value, _) in found.items()}
    changed = days_to_request(state.days, found, made)
    waiting = {**state.days, **{day: found[day] for day in changed}}
    waiting = {day: value for day, value in waiting.items() if day >= oldest and day not in made}
    # Days that see a changed one may have been looked at before this look went on.
    landed = max([day for day, value in found.items() if value != NOTHING] + ([state.landed] if state.resume and state.landed else []), default=None)
    ranges = affected_ranges(changed, reach_in_days(spec), landed or newest, spec.backfill.days_per_run)
    content = digest([[day, found[day]] for day in changed], state.requests)[:16]
    requests = [Request(first, last, f"{spec.name} {first}...{last} {content}") for first, last in ranges]
    looked = f"looked at {len(found)} complete days from {oldest} to {newest}"
    note = f"{looked}; changed: {', '.join(str(day) for day in changed)}" if changed else f"{looked}; nothing changed"
    if resume:
        note += f"; stopped after {effort.requests} list requests, the next look begins at {resume}"
    return Look(requests, Arrivals(waiting, state.requests + len(requests), resume, landed if resume else None), note)


class _Effort:
    """What a look has cost so far, in list requests and seconds."""

    def __init__(self, clock: Callable[[], float]):
        self._clock, self._begun, self.requests = clock, clock(), 0

    def is_spent(self) -> bool:
        return self.requests >= REQUESTS_PER_LOOK or self._clock() - self._begun > SECONDS_PER_LOOK


def _look_at(
    spec: ModelSpec, landing: Landing, is_made: IsMade, first: date, last: date, now: datetime, effort: _Effort
) -> dict[date, tuple[str, bool]] | None:
    """Digest of each complete day and whether the lake holds it; None when a bound is reached before the last day.

    A part of the days is of no use: which days see a changed one is known only when all later ones have been looked at.
    """
    found = {}
    for seen in landing.complete_days(spec.source, spec.sensor, first, last, now):
        effort.requests += seen.requests
        if seen.objects is not None:
            found[seen.day] = day_digest([(one.key, one.digest, one.size) for one in seen.objects]), is_made(seen.day, seen.objects)
        if seen.day < last and effort.is_spent():
            return None
    return found


def is_made_by(spec: ModelSpec, lake: Lake, landing: Landing) -> IsMade:
    """Whether the lake holds raw data made from some landed objects; a day without objects that was never made counts as held."""
    stage = Ingestion(spec, lake, landing)

    def is_made(day: date, objects: Sequence[StoredObject]) -> bool:
        committed = stage.tables[stage.name].fingerprint(day)
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
