"""When a day is closed, and in which words a change of its files is reported."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from ml_assets.core.model_spec.labels import LateData
from ml_assets.core.tables.day_boundaries import beginning_of_day

MOST_NAMED = 5


def closed_since(policy: LateData, day: date, time_zone: str) -> datetime:
    """The moment (UTC) from which on a day is closed: `open_for` after its end in the time zone of the source."""
    return beginning_of_day(day + timedelta(days=1), time_zone).to_pydatetime() + policy.open_for


def is_closed(policy: LateData, day: date, time_zone: str, now: datetime) -> bool:
    """Whether a day is closed at the moment `now` (with a zone); a day in `reopened` never is."""
    return day not in policy.reopened and now >= closed_since(policy, day, time_zone)


def describe_changes(before: Sequence[Sequence], now: Sequence[Sequence]) -> str:
    """The differences of two lists of (key, digest, size) in words, naming at most 5 keys of each kind."""
    old, new = ({key: (digest, size) for key, digest, size in objects} for objects in (before, now))
    kinds = [
        ("rewritten", [key for key in new if key in old and new[key] != old[key]]),
        ("new", [key for key in new if key not in old]),
        ("removed", [key for key in old if key not in new]),
    ]
    return ", ".join(f"{kind} {_named(sorted(keys))}" for kind, keys in kinds if keys) or "no file changed"


def _named(keys: list[str]) -> str:
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return ", ".join(keys[:MOST_NAMED]) + more
