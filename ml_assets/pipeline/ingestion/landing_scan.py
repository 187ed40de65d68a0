"""One look at the landing for one feed: which days changed, within bounds of time and of list requests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ml_assets.core.ingestion.sensor_cursor import NOTHING, FeedCursor, day_digest, days_to_request, stretches
from ml_assets.core.model_spec.automation import Sensor
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.pipeline.ingestion.stage import Standing
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.stored_object import StoredObject

# Days of the first stretch of a look.
FIRST_STRETCH = 32
REFUSED = "refused"
StandingOf = Callable[[Feed, date, Sequence[StoredObject]], Standing]


class Effort:
    """What a look has cost so far, in list requests and seconds, against its bounds."""

    def __init__(self, clock: Callable[[], float], most_seconds: float, most_requests: int):
        self._clock, self._begun, self._most_seconds, self._most_requests, self.requests = (
            clock,
            clock(),
            most_seconds,
            most_requests,
            0,
        )

    def is_spent(self) -> bool:
        """Whether a bound is reached."""
        return self.requests >= self._most_requests or self._clock() - self._begun > self._most_seconds


@dataclass(frozen=True)
class LandingScan:
    """What a look found.

    found: digest of each complete day that was looked at. changed, refused: days that differ from the lake and were not
    requested, or reported, before; refused ones are closed. waiting: days that were requested before and are not made
    yet. incomplete: days that are not complete and were never made. landed: the newest day with files. arrivals: what
    to remember.
    """

    feed: Feed
    oldest: date
    newest: date
    found: dict[date, str]
    changed: list[date]
    refused: list[date]
    waiting: list[date]
    incomplete: set[date]
    landed: date | None
    arrivals: FeedCursor
    requests: int

    def note(self) -> str:
        """What was found, for people."""
        said = [f"{self.feed.raw}: looked at {len(self.found)} complete days from {self.oldest} to {self.newest}"]
        said.append(f"changed: {', '.join(map(str, self.changed))}" if self.changed else "nothing changed")
        if self.refused:
            said.append(f"changed and refused, as closed by late_data: {', '.join(map(str, self.refused))}")
        if self.waiting:
            said.append(
                "requested before and not made yet, see whether their runs wait or failed: "
                f"{', '.join(map(str, self.waiting))}"
            )
        if self.arrivals.resume:
            said.append(f"stopped after {self.requests} list requests, the next look begins at {self.arrivals.resume}")
        return "; ".join(said)


def scan_landing(
    feed: Feed, sensor: Sensor, landing: Landing, standing: StandingOf, state: FeedCursor, now: datetime, effort: Effort
) -> LandingScan:
    """List the days of the look-back, newest first, and compare them with the lake.

    It stops when `effort` is spent, but not within a day; the next look goes on from there. A day that is not complete
    is as it was.

    Args:
        feed: the files.
        sensor: look-back, marker, minimum age.
        landing: where files land.
        standing: how the lake's day stands to landed objects.
        state: what the last look kept.
        now: the time, with a zone.
        effort: bounds of this look.
    """
    yesterday = now.astimezone(ZoneInfo(feed.source.time_zone)).date() - timedelta(days=1)
    newest = min(yesterday, feed.source.end or yesterday)
    oldest = max(feed.source.start, yesterday - sensor.look_back + timedelta(days=1))
    seen: dict[date, tuple[str | None, Standing]] = {}
    resume = None
    # A look that goes on begins with one day, so that it gets on however many files a day has.
    for first, last in stretches(min(state.resume or newest, newest), oldest, 1 if state.resume else FIRST_STRETCH):
        part = _look_at(feed, sensor, landing, standing, first, last, now, effort)
        if part is None:
            resume = last
            break
        seen |= part
        if first > oldest and effort.is_spent():
            resume = first - timedelta(days=1)
            break
    found = {day: value for day, (value, _) in seen.items() if value is not None}
    made = {day for day, (_, how) in seen.items() if how == "made"}
    # A refusal that was reported is no request: when the day is reopened it has to be requested.
    told = {day: f"{REFUSED} {value}" if seen[day][1] == "refused" else value for day, value in found.items()}
    different = days_to_request(state.days, told, made)
    remembered = {**state.days, **{day: told[day] for day in different}}
    remembered = {day: value for day, value in remembered.items() if day >= oldest and day not in made}
    # Days that see a changed one may have been looked at before this look went on.
    landed = max(
        [day for day, value in found.items() if value != NOTHING]
        + ([state.landed] if state.resume and state.landed else []),
        default=None,
    )
    refused = [day for day in different if seen[day][1] == "refused"]
    changed = [day for day in different if day not in refused]
    waiting = sorted(day for day in found if seen[day][1] == "changed" and day not in different)
    incomplete = {day for day, (value, how) in seen.items() if value is None and how == "made"}
    arrivals = FeedCursor(remembered, resume, landed if resume else None)
    return LandingScan(
        feed, oldest, newest, found, changed, refused, waiting, incomplete, landed, arrivals, effort.requests
    )


def _look_at(
    feed: Feed,
    sensor: Sensor,
    landing: Landing,
    standing: StandingOf,
    first: date,
    last: date,
    now: datetime,
    effort: Effort,
) -> dict[date, tuple[str | None, Standing]] | None:
    """Digest of each day, or None where it is not complete, and its standing; None when a bound is reached before the
    last day.

    A part of the days is of no use: which days see a changed one is known only when all later ones have been looked at.
    """
    found = {}
    for seen in landing.complete_days(feed.source, sensor, first, last, now):
        effort.requests += seen.requests
        content = (
            day_digest([(one.key, one.digest, one.size) for one in seen.objects]) if seen.objects is not None else None
        )
        # A day that is not complete is as if nothing had landed: it counts as made when it never was.
        found[seen.day] = content, standing(feed, seen.day, seen.objects or [])
        if seen.day < last and effort.is_spent():
            return None
    return found
