"""The file pattern of a source: from a day to the keys of its files, and from a key to its day."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from ml_assets.core.model_spec.source import DAY_PLACEHOLDER

_WILDCARDS = {"*": "[^/]*", "?": "[^/]"}
_DATE_PARTS = {"%Y": r"\d{4}", "%m": r"\d{2}", "%d": r"\d{2}"}
ISO_DAY = "%Y-%m-%d"
# Sorts after every other character, also as UTF-8 bytes; names may contain non-ASCII characters.
LAST_CHARACTER = chr(0x10FFFF)


@lru_cache(maxsize=1024)
def compile_key_pattern(files: str, day: date) -> re.Pattern[str]:
    """Compile the regular expression for whole keys (relative to the landing root, `/` between levels) of a day."""
    return re.compile(_to_regex(files, lambda form: re.escape(day.strftime(form))))


def fixed_prefix(files: str, day: date | None = None) -> str:
    """Return the part of the keys of `day` (all days if None) before the first wildcard, as the prefix of a listing."""
    text = DAY_PLACEHOLDER.sub(lambda m: day.strftime(m[1] or ISO_DAY) if day else "*", files)
    return re.split(r"[*?]", text, maxsplit=1)[0]


def folder_prefix(files: str, day: date) -> str:
    """Return the prefix of the files of `day` and their neighbours: `fixed_prefix`, but if the pattern has no wildcard,
    only the part through the date or the folder, whichever is longer.
    """
    prefix = fixed_prefix(files, day)
    if re.search(r"[*?]", DAY_PLACEHOLDER.sub("", files)):
        return prefix
    *_, placeholder = DAY_PLACEHOLDER.finditer(files)
    through_date = fixed_prefix(files[: placeholder.end()], day)
    return prefix[: max(len(through_date), prefix.rfind("/") + 1)]


def is_hidden(key: str) -> bool:
    """Return whether a file or one of its folders is hidden.

    Its name begins with `_` or `.`, or is empty, as in keys of folders that S3 consoles create.
    """
    return any(not name or name.startswith(("_", ".")) for name in key.split("/"))


def day_of_key(files: str, key: str) -> date | None:
    """Return the day whose pattern `key` matches, or None."""
    match = re.fullmatch(_to_regex(files, _date_group), key)
    if not match or not is_data_file(key):
        return None
    placeholder = DAY_PLACEHOLDER.search(files)
    try:
        day = datetime.strptime(match[1], (placeholder[1] if placeholder else None) or ISO_DAY).date()
    except ValueError:
        return None
    return day if compile_key_pattern(files, day).fullmatch(key) else None


@dataclass(frozen=True)
class Listing:
    """One listing, in key order, of the files of consecutive days: keys with `prefix`, between `after` and `before`."""

    days: tuple[tuple[date, str], ...]
    """Each day, ascending, with the common prefix of the keys of its files."""
    prefix: str
    after: str = ""
    before: str | None = None


def plan_listings(files: str, first: date, last: date) -> Iterator[Listing]:
    """Plan the listings of the files from `first` to `last`: one listing if keys sort by day, else one per day.

    Keys sort by day if the text before `{day}` has no wildcard, the date has year, month and day in this order, and the
    next wildcard is in the same folder level or directly after it. With a deeper fixed folder, as in `{day}/orders/*`,
    a single listing would include all other folders of each day.
    """
    days = tuple(
        (day, fixed_prefix(files, day)) for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
    )
    if len(days) > 1 and _keys_sort_as_days(files, days[0][1]):
        (_, lowest), (_, highest) = days[0], days[-1]
        common = next(n for n, (low, high) in enumerate(zip(lowest, highest, strict=True)) if low != high)
        yield Listing(days, lowest[:common], sort_key_before(lowest), highest[:-1] + chr(ord(highest[-1]) + 1))
    else:
        for day, prefix in days:
            yield Listing(((day, prefix),), prefix)


def sort_key_before(prefix: str) -> str:
    """Return a key that sorts just before every key with `prefix`, so that a listing can start after it."""
    return prefix[:-1] + chr(ord(prefix[-1]) - 1) + LAST_CHARACTER


def _keys_sort_as_days(files: str, prefix: str) -> bool:
    placeholder = DAY_PLACEHOLDER.search(files)
    if placeholder is None or re.search(r"[*?]", files[: placeholder.end()]):
        return False
    suffix = re.split(r"[*?]", files[placeholder.end() :], maxsplit=1)[0]
    is_year_month_day = re.findall("%.", placeholder[1] or ISO_DAY) == ["%Y", "%m", "%d"]
    return is_year_month_day and "/" not in suffix[:-1] and "{" not in suffix and "!" < prefix[-1] < "~"


def marker_key(files: str, marker: str) -> str:
    """Return the pattern of the keys of a marker file in the folder of a day's files."""
    return f"{files.rpartition('/')[0]}/{marker}"


def is_data_file(key: str) -> bool:
    """Return whether the key ends in a file name that starts with neither `_` nor `.`.

    S3 consoles create empty objects whose keys end in `/`.
    """
    return not (key.rsplit("/", 1)[-1] or ".").startswith(("_", "."))


def _to_regex(files: str, format_day: Callable[[str], str]) -> str:
    parts, position = [], 0
    for placeholder in DAY_PLACEHOLDER.finditer(files):
        parts += [_wildcards(files[position : placeholder.start()]), format_day(placeholder[1] or ISO_DAY)]
        position = placeholder.end()
    return "".join([*parts, _wildcards(files[position:])])


def _wildcards(text: str) -> str:
    return "".join(_WILDCARDS.get(char, re.escape(char)) for char in text)


def _date_group(form: str) -> str:
    escaped = re.sub(r"[^%YmdA-Za-z0-9]", lambda match: re.escape(match[0]), form)
    return f"({re.sub('%[Ymd]', lambda match: _DATE_PARTS[match[0]], escaped)})"
