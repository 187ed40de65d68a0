"""The cursor of the sensor: its state between two ticks, and the days to request on the next tick."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, timedelta

from ml_assets.core.tables.fingerprint import digest

NO_OBJECTS = ""


@dataclass(frozen=True)
class FeedCursor:
    """The state of one feed.

    days: for each day, the landed objects and the version in the lake of the last requested (or refused and reported)
    run, until the lake holds these objects. scanned: for each day, the digest of its objects in the last scan. resume:
    the day at which the next scan begins, if the last one reached a limit. landed: with resume, the newest day with
    files found since the last scan from the newest day.
    """

    days: Mapping[date, str] = field(default_factory=dict)
    scanned: Mapping[date, str] = field(default_factory=dict)
    resume: date | None = None
    landed: date | None = None

    def to_json(self) -> dict:
        """Convert to JSON; its size depends on the number of days, not of objects."""
        positions = {"resume": self.resume, "landed": self.landed}
        by_day = {
            name: {day.isoformat(): value for day, value in sorted(values.items())}
            for name, values in (("days", self.days), ("scanned", self.scanned))
        }
        return {**by_day, **{name: day.isoformat() for name, day in positions.items() if day}}

    @classmethod
    def from_json(cls, state: Mapping) -> "FeedCursor":
        """Create from the result of `to_json`."""
        days, scanned = (
            {date.fromisoformat(day): value for day, value in values.items()}
            for values in (state["days"], state.get("scanned", {}))
        )
        resume, landed = (date.fromisoformat(state[name]) if name in state else None for name in ("resume", "landed"))
        return cls(days, scanned, resume, landed)


@dataclass(frozen=True)
class SensorCursor:
    """The state of a sensor between two ticks.

    requests: number of runs requested so far; it makes run keys unique, so that replaced content that returns is
    requested again. feeds: state of each feed, by the name of its first table. history: digest of the runs that were
    last requested to validate earlier days; empty if none were. begun: the second in which the sensor began without a
    cursor; it makes the run keys after a reset differ from those before, which Dagster would skip. 0 if not known.
    """

    requests: int = 0
    feeds: Mapping[str, FeedCursor] = field(default_factory=dict)
    history: str = ""
    begun: int = 0

    def to_text(self) -> str:
        """Serialize the state as text."""
        feeds = {name: feed.to_json() for name, feed in self.feeds.items()}
        history = {"history": self.history} if self.history else {}
        begun = {"begun": self.begun} if self.begun else {}
        return json.dumps({"requests": self.requests, "feeds": feeds, **history, **begun}, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str | None) -> "SensorCursor":
        """Read the result of `to_text`; without text, return the state before the first tick.

        Raises:
            ValueError: the text is not a cursor.
        """
        if not text:
            return cls()
        try:
            state = json.loads(text)
            feeds = {name: FeedCursor.from_json(feed) for name, feed in state["feeds"].items()}
            return cls(int(state["requests"]), feeds, str(state.get("history", "")), int(state.get("begun", 0)))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a cursor of an arrivals sensor: {text[:100]}") from error


def digest_objects(objects: Sequence[tuple[str, str, int]]) -> str:
    """Return 16 hexadecimal digits over (key, digest, size) of the objects of a day, in any order.

    Without objects, return `NO_OBJECTS`.
    """
    return digest(sorted(objects))[:16] if objects else NO_OBJECTS


def select_days_to_request(
    requested: Mapping[date, str], landed: Mapping[date, str], materialized: Set[date]
) -> list[date]:
    """Select the days, ascending, whose landed objects are not in the lake and have not been requested yet.

    Requests are compared by their content and the version that they replace, and materialized days are known from the
    lake. So neither a lost cursor nor content that changes back and forth between ticks hides a change.

    Args:
        requested: for each day, content and replaced version of the last requested run.
        landed: for each day, content and replaced version of a run requested now.
        materialized: the days of `landed` whose objects the lake holds.
    """
    return sorted(day for day, value in landed.items() if day not in materialized and requested.get(day) != value)


def select_days_read_early(
    scanned: Mapping[date, str], landed: Mapping[date, str], materialized: Set[date]
) -> list[date]:
    """Select the materialized days, ascending, whose objects changed after the last scan: no scan requested them.

    A run that another day was requested for read the new objects, or a person materialized the day. The days that read
    it have not been requested.

    Args:
        scanned: digest of each day's objects in the last scan.
        landed: digest of each day's objects now.
        materialized: the days of `landed` whose objects the lake holds.
    """
    return sorted(day for day in materialized & landed.keys() & scanned.keys() if scanned[day] != landed[day])


def doubling_ranges(newest: date, oldest: date, size: int) -> Iterator[tuple[date, date]]:
    """Yield the days from `newest` back to `oldest` as ranges (first, last) of `size` days, then twice as many, and so
    on.

    There are few ranges, and the newest comes first. A scan that stops within a range and resumes there with size 1
    advances by at least one day, and repeats no more than about half of its work.
    """
    while newest >= oldest:
        first = max(oldest, newest - timedelta(days=size - 1))
        yield first, newest
        newest, size = first - timedelta(days=1), size * 2


def find_affected_days(changed: Iterable[date], reach: int, last: date) -> set[date]:
    """Find the changed days, and the days up to `last` whose features read a changed day.

    Args:
        changed: the changed days.
        reach: number of days after a day whose features read it.
        last: the newest day that has landed; features of later days cannot be built yet.
    """
    return {
        day + timedelta(days=n)
        for day in changed
        for n in range(reach + 1)
        if n == 0 or day + timedelta(days=n) <= last
    }


def group_into_ranges(days: Set[date], max_days: int | None) -> list[tuple[date, date]]:
    """Group days into as few ranges (first, last) as possible, ascending, of at most `max_days` (None: no limit)."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(days):
        if (
            ranges
            and day - ranges[-1][1] == timedelta(days=1)
            and (max_days is None or (day - ranges[-1][0]).days < max_days)
        ):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
