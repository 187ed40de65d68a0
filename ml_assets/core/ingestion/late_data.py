"""Late data: the time at which a day is closed, and the description of changed files."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from ml_assets.core.model_spec.labels import LateData
from ml_assets.core.tables.day_boundaries import beginning_of_day

MAX_NAMED = 5


def closing_time(policy: LateData, day: date, time_zone: str) -> datetime:
    """Return the moment (UTC) at which a day is closed: `open_for` after its end in the time zone of the source."""
    return beginning_of_day(day + timedelta(days=1), time_zone).to_pydatetime() + policy.open_for


def is_closed(policy: LateData, day: date, time_zone: str, now: datetime) -> bool:
    """Return whether a day is closed at the moment `now` (tz-aware); a day in `reopened` never is."""
    return day not in policy.reopened and now >= closing_time(policy, day, time_zone)


def describe_changes(before: Sequence[Sequence], now: Sequence[Sequence]) -> str:
    """Describe the differences between two lists of (key, digest, size), naming at most 5 keys of each kind."""
    old, new = ({key: (digest, size) for key, digest, size in objects} for objects in (before, now))
    changes = [
        ("rewritten", [key for key in new if key in old and new[key] != old[key]]),
        ("new", [key for key in new if key not in old]),
        ("removed", [key for key in old if key not in new]),
    ]
    return ", ".join(f"{kind} {_list_keys(sorted(keys))}" for kind, keys in changes if keys) or "no file changed"


def _list_keys(keys: list[str]) -> str:
    more = f" and {len(keys) - MAX_NAMED} more" if len(keys) > MAX_NAMED else ""
    return ", ".join(keys[:MAX_NAMED]) + more
