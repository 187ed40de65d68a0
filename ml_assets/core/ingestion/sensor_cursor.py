"""What a sensor remembers of the landing, and which days have to be made when it looks again."""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, timedelta

from ml_assets.core.tables.fingerprint import digest

NOTHING = ""


@dataclass(frozen=True)
class FeedCursor:
    """What is remembered of the files of one feed.

    days: digest of the landed objects for which a day was last requested (or refused and reported), as long as the lake
    does not hold them (`NOTHING` when all objects were removed). resume: the day at which the next look begins, when
    the last one reached a bound. landed: with resume, the newest day with files that the looks since the newest day
    have seen.
    """

    days: Mapping[date, str] = field(default_factory=dict)
    resume: date | None = None
    landed: date | None = None

    def to_json(self) -> dict:
        """As JSON; its size depends on the number of days, not of objects."""
        places = {"resume": self.resume, "landed": self.landed}
        days = {day.isoformat(): value for day, value in sorted(self.days.items())}
        return {"days": days, **{name: day.isoformat() for name, day in places.items() if day}}

    @classmethod
    def from_json(cls, state: Mapping) -> "FeedCursor":
        """What `to_json` gave."""
        days = {date.fromisoformat(day): value for day, value in state["days"].items()}
        resume, landed = (date.fromisoformat(state[name]) if name in state else None for name in ("resume", "landed"))
        return cls(days, resume, landed)


@dataclass(frozen=True)
class SensorCursor:
    """The state of a sensor between two looks.

    requests: how many runs were requested so far, so that content which comes back after it was replaced is requested
    again. feeds: what is remembered of each feed, by the name of its first table.
    """

    requests: int = 0
    feeds: Mapping[str, FeedCursor] = field(default_factory=dict)

    def to_text(self) -> str:
        """The state as text."""
        return json.dumps(
            {"requests": self.requests, "feeds": {name: of.to_json() for name, of in self.feeds.items()}},
            separators=(",", ":"),
        )

    @classmethod
    def from_text(cls, text: str | None) -> "SensorCursor":
        """The state that `to_text` wrote; the state before the first look when there is no text.

        Raises:
            ValueError: when the text is something else.
        """
        if not text:
            return cls()
        state = json.loads(text)
        return cls(state["requests"], {name: FeedCursor.from_json(of) for name, of in state["feeds"].items()})


def day_digest(objects: Sequence[tuple[str, str, int]]) -> str:
    """16 hexadecimal digits over key, digest and size of every object of a day, in any order; `NOTHING` without
    objects.
    """
    return digest(sorted(objects))[:16] if objects else NOTHING


def days_to_request(requested: Mapping[date, str], found: Mapping[date, str], made: Set[date]) -> list[date]:
    """The days, ascending, whose landed objects the lake does not hold and for which no run was requested yet.

    What was requested is compared by content and what is made by the lake, so neither a lost memory nor content that
    goes back and forth between two looks hides a change.

    Args:
        requested: digest of each day for which a run was last requested.
        found: digest of each day as it lies there now.
        made: the days of `found` that the lake holds as they lie there.
    """
    return sorted(day for day, value in found.items() if day not in made and requested.get(day) != value)


def stretches(newest: date, oldest: date, size: int) -> Iterator[tuple[date, date]]:
    """Days from `newest` back to `oldest` as stretches (first, last) of `size` days, then twice as many, and so on:
    few, and the newest first.

    Whoever stops in the middle of a stretch and begins there again with size 1 gets on by a day at least, and repeats
    no more than about half.
    """
    while newest >= oldest:
        first = max(oldest, newest - timedelta(days=size - 1))
        yield first, newest
        newest, size = first - timedelta(days=1), size * 2


def affected_days(changed: Sequence[date], reach: int, last: date) -> set[date]:
    """The changed days, and the days up to `last` that can see one.

    Args:
        changed: the changed days.
        reach: how many days after its own a day can still be seen by features.
        last: the newest day that has landed; features of later days cannot be made yet.
    """
    return {
        day + timedelta(days=n)
        for day in changed
        for n in range(reach + 1)
        if n == 0 or day + timedelta(days=n) <= last
    }


def ranges_of(days: Set[date], most: int | None) -> list[tuple[date, date]]:
    """Days as ranges (first, last), ascending and as few as `most` days a range allow (None for no bound)."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(days):
        if ranges and day - ranges[-1][1] == timedelta(days=1) and (most is None or (day - ranges[-1][0]).days < most):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
