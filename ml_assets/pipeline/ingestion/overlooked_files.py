"""Files next to those of a day that the pattern of the feed does not match: they are reported instead of read."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

MAX_NAMED = 5
# The most days of a run whose files are listed in its log.
MAX_DAYS = 20


def describe_overlooked(files: str, day: date, keys: Sequence[str], before: str = "") -> str:
    """Describe these files of a day; empty without files.

    Args:
        files: the pattern of the feed.
        day: the day.
        keys: keys of the files.
        before: text to put before the description.
    """
    if not keys:
        return ""
    count = f"{len(keys)} files of {day} are" if len(keys) > 1 else f"a file of {day} is"
    more = f" and {len(keys) - MAX_NAMED} more" if len(keys) > MAX_NAMED else ""
    names = ", ".join(keys[:MAX_NAMED])
    return f"{before}{count} not read, because the pattern {files} does not match: {names}{more}"


def overlooked_warnings(files: str, keys_by_day: Mapping[date, Sequence[str]]) -> Iterator[str]:
    """Yield a line for each of the first 20 days with such files, and one with their number, if there are more."""
    days = [day for day, keys in keys_by_day.items() if keys]
    for day in days[:MAX_DAYS]:
        yield describe_overlooked(files, day, keys_by_day[day])
    if len(days) > MAX_DAYS:
        yield f"{len(days)} days in all have files that do not match the pattern {files}"
