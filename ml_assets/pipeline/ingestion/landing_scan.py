"""The scan of the landing for one feed: the days that differ from the lake, within bounds of time and list requests."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ml_assets.core.ingestion.sensor_cursor import (
    NO_OBJECTS,
    FeedCursor,
    digest_objects,
    doubling_ranges,
    select_days_read_early,
    select_days_to_request,
)
from ml_assets.core.model_spec.automation import Sensor
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.pipeline.ingestion.day_in_lake import DayInLake, DayStatus
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.stored_object import StoredObject

DAYS_OF_FIRST_LISTING = 32
REFUSED_PREFIX = "refused"
CompareDay = Callable[[Feed, date, Sequence[StoredObject]], DayInLake]


class ScanBudget:
    """Bounds of one scan, in seconds and list requests, and the list requests it has made so far."""

    def __init__(self, clock: Callable[[], float], max_seconds: float, max_requests: int):
        self._clock = clock
        self._started = clock()
        self._max_seconds = max_seconds
        self._max_requests = max_requests
        self.requests = 0

    def is_exhausted(self) -> bool:
        """Return whether one of the bounds is reached."""
        return self.requests >= self._max_requests or self._clock() - self._started > self._max_seconds


class ScannedDay(NamedTuple):
    """Landed objects of one day, and the day in the lake. digest: None if the day is not complete."""

    digest: str | None
    in_lake: DayInLake

    @property
    def status(self) -> DayStatus:
        """Status of the day in the lake, compared with its objects."""
        return self.in_lake.status

    def request(self) -> str:
        """Identify the change that a run is requested for: the landed objects, and the version in the lake to replace.

        Without the version, restored content would count as already requested although another run has replaced it
        since. A reported refusal does not count as a request: once the day is reopened, it has to be requested.
        """
        prefix = f"{REFUSED_PREFIX} " if self.status == "refused" else ""
        return f"{prefix}{self.digest} for {self.in_lake.version}"


@dataclass(frozen=True)
class LandingScan:
    """The result of a scan.

    complete_days: number of complete days that were scanned. changed: the change of each day, ascending, that differs
    from the lake, or was materialized from objects that no scan has seen, and was not requested before. refused: closed
    days that differ and were not reported before. waiting: days that were requested before and are not computed yet.
    incomplete: days that are not complete and were never computed. landed: the newest day with files. cursor: the state
    to keep for the next scan.
    """

    feed: Feed
    oldest: date
    newest: date
    complete_days: int
    changed: dict[date, str]
    refused: list[date]
    waiting: list[date]
    incomplete: set[date]
    landed: date | None
    cursor: FeedCursor
    requests: int

    def describe(self) -> str:
        """Return a summary of the scan in words."""
        parts = [f"{self.feed.raw}: scanned {self.complete_days} complete days from {self.oldest} to {self.newest}"]
        parts.append(f"changed: {_join(self.changed)}" if self.changed else "nothing changed")
        if self.refused:
            parts.append(f"changed but refused, as late_data has closed them: {_join(self.refused)}")
        if self.waiting:
            parts.append(
                "requested before and not made yet, check whether their runs are queued or failed: "
                f"{_join(self.waiting)}"
            )
        if self.cursor.resume:
            parts.append(f"stopped after {self.requests} list requests, the next tick resumes at {self.cursor.resume}")
        return "; ".join(parts)


def scan_landing(
    feed: Feed,
    sensor: Sensor,
    landing: Landing,
    compare_day: CompareDay,
    cursor: FeedCursor,
    now: datetime,
    budget: ScanBudget,
) -> LandingScan:
    """List the days of the look-back, newest first, and compare them with the lake.

    The scan stops when the budget is exhausted, but not within a day; the next scan resumes there. A day that is not
    complete counts as unchanged.

    Args:
        feed: the files.
        sensor: look-back, marker, minimum age.
        landing: where files land.
        compare_day: compares a day in the lake with landed objects.
        cursor: the cursor that the last scan kept.
        now: the time, with a zone.
        budget: bounds of this scan.
    """
    yesterday = now.astimezone(ZoneInfo(feed.source.time_zone)).date() - timedelta(days=1)
    newest = min(yesterday, feed.source.end or yesterday)
    oldest = max(feed.source.start, yesterday - sensor.look_back + timedelta(days=1))
    scanned: dict[date, ScannedDay] = {}
    resume = None
    # A resumed scan begins with a listing of one day, so that it advances however many files a day has.
    first_size = 1 if cursor.resume else DAYS_OF_FIRST_LISTING
    for first, last in doubling_ranges(min(cursor.resume or newest, newest), oldest, first_size):
        days = _scan_days(feed, sensor, landing, compare_day, first, last, now, budget)
        if days is None:
            resume = last
            break
        scanned |= days
        if first > oldest and budget.is_exhausted():
            resume = first - timedelta(days=1)
            break
    return _compare(feed, oldest, newest, scanned, cursor, resume, budget.requests)


def _compare(
    feed: Feed,
    oldest: date,
    newest: date,
    scanned: Mapping[date, ScannedDay],
    cursor: FeedCursor,
    resume: date | None,
    requests: int,
) -> LandingScan:
    """Compare the scanned days with the lake and with the requests that the cursor remembers."""
    digests = {day: entry.digest for day, entry in scanned.items() if entry.digest is not None}
    current = {day for day, entry in scanned.items() if entry.status == "current"}
    settled = current | {day for day, entry in scanned.items() if entry.status == "absent"}
    wanted = {day: scanned[day].request() for day in digests}
    different = select_days_to_request(cursor.days, wanted, settled)
    read_early = select_days_read_early(cursor.scanned, digests, current)
    requested = {**cursor.days, **{day: wanted[day] for day in different}}
    requested = {day: value for day, value in requested.items() if day >= oldest and day not in settled}
    objects = {day: value for day, value in {**cursor.scanned, **digests}.items() if day >= oldest}
    # Days that read a changed one may have been scanned before this scan resumed.
    landed = max(
        [day for day, value in digests.items() if value != NO_OBJECTS]
        + ([cursor.landed] if cursor.resume and cursor.landed else []),
        default=None,
    )
    refused = [day for day in different if scanned[day].status == "refused"]
    return LandingScan(
        feed,
        oldest,
        newest,
        len(digests),
        changed={day: wanted[day] for day in sorted({*different, *read_early} - {*refused})},
        refused=refused,
        waiting=sorted(day for day in digests if scanned[day].status == "changed" and day not in different),
        incomplete={day for day in settled if scanned[day].digest is None},
        landed=landed,
        cursor=FeedCursor(requested, objects, resume, landed if resume else None),
        requests=requests,
    )


def _scan_days(
    feed: Feed,
    sensor: Sensor,
    landing: Landing,
    compare_day: CompareDay,
    first: date,
    last: date,
    now: datetime,
    budget: ScanBudget,
) -> dict[date, ScannedDay] | None:
    """Return the digest and status of each day, or None when the budget is exhausted before the last day.

    Partial results would be useless: the days that read a changed day are known only when all later days have been
    scanned.
    """
    days = {}
    for landed in landing.complete_days(feed.source, sensor, first, last, now):
        budget.requests += landed.requests
        content = None
        if landed.objects is not None:
            content = digest_objects([(stored.key, stored.digest, stored.size) for stored in landed.objects])
        # A day that is not complete is treated as if nothing had landed: it is absent if it was never computed.
        days[landed.day] = ScannedDay(content, compare_day(feed, landed.day, landed.objects or []))
        if landed.day < last and budget.is_exhausted():
            return None
    return days


def _join(days: Iterable[date]) -> str:
    return ", ".join(map(str, days))
