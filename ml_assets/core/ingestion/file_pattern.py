"""The file pattern of a source: which keys belong to a day, and which day a key belongs to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from ml_assets.core.model_spec.source import DAY_PLACEHOLDER

_WILDCARDS = {"*": "[^/]*", "?": "[^/]"}
_DATE_PARTS = {"%Y": r"\d{4}", "%m": r"\d{2}", "%d": r"\d{2}"}
ISO_DAY = "%Y-%m-%d"
# Sorts behind every other, as the bytes of UTF-8 do too: names may go on beyond ASCII.
LAST_CHARACTER = chr(0x10FFFF)


@lru_cache(maxsize=1024)
def keys_pattern(files: str, day: date) -> re.Pattern[str]:
    """A regular expression that the whole key (relative to the landing root, `/` between levels) of a file of `day`
    matches.
    """
    return re.compile(_to_regex(files, lambda form: re.escape(day.strftime(form))))


def fixed_prefix(files: str, day: date | None = None) -> str:
    """The part of the keys of `day` (of all days without one) that stands before the first wildcard: what a listing may
    begin with.
    """
    text = DAY_PLACEHOLDER.sub(lambda m: day.strftime(m[1] or ISO_DAY) if day else "*", files)
    return re.split(r"[*?]", text, maxsplit=1)[0]


def day_of_key(files: str, key: str) -> date | None:
    """The day whose pattern `key` matches, or None."""
    found = re.fullmatch(_to_regex(files, _date_group), key)
    if not found or not is_data_file(key):
        return None
    form = DAY_PLACEHOLDER.search(files)
    try:
        day = datetime.strptime(found[1], (form[1] if form else None) or ISO_DAY).date()
    except ValueError:
        return None
    return day if keys_pattern(files, day).fullmatch(key) else None


@dataclass(frozen=True)
class Listing:
    """One listing, in the order of keys, that holds the files of consecutive days: keys that begin with `prefix`,
    between `after` and `before`.
    """

    days: tuple[tuple[date, str], ...]
    """Each day, ascending, with what all keys of its files begin with."""
    prefix: str
    after: str = ""
    before: str | None = None


def listings(files: str, first: date, last: date) -> Iterator[Listing]:
    """The listings that together hold the files of the days from `first` to `last`: one where keys sort as days do,
    else one a day.

    They sort so when the text before `{day}` has no wildcard, the date has year, month and day in this order, and the
    next wildcard comes in the same folder level or right behind it. With a deeper fixed folder, as in `{day}/orders/*`,
    the range would hold all other folders of each day.
    """
    days = tuple(
        (day, fixed_prefix(files, day)) for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
    )
    if len(days) > 1 and _keys_sort_as_days(files, days[0][1]):
        (_, lowest), (_, highest) = days[0], days[-1]
        same = next(place for place, (one, other) in enumerate(zip(lowest, highest, strict=True)) if one != other)
        yield Listing(days, lowest[:same], just_before(lowest), highest[:-1] + chr(ord(highest[-1]) + 1))
    else:
        for day, prefix in days:
            yield Listing(((day, prefix),), prefix)


def just_before(prefix: str) -> str:
    """A text that sorts before every key that begins with `prefix`, with next to no keys in between: what a listing may
    start after.
    """
    return prefix[:-1] + chr(ord(prefix[-1]) - 1) + LAST_CHARACTER


def _keys_sort_as_days(files: str, prefix: str) -> bool:
    placeholder = DAY_PLACEHOLDER.search(files)
    if placeholder is None or re.search(r"[*?]", files[: placeholder.end()]):
        return False
    behind = re.split(r"[*?]", files[placeholder.end() :], maxsplit=1)[0]
    in_order = re.findall("%.", placeholder[1] or ISO_DAY) == ["%Y", "%m", "%d"]
    return in_order and "/" not in behind[:-1] and "{" not in behind and "!" < prefix[-1] < "~"


def marker_key(files: str, marker: str) -> str:
    """The pattern of the keys of a marker that lies in the folder of a day's files."""
    return f"{files.rpartition('/')[0]}/{marker}"


def is_data_file(key: str) -> bool:
    """Whether there is a name behind the folders (consoles of S3 put empty objects that end in `/`) that begins with
    neither `_` nor `.`.
    """
    return not (key.rsplit("/", 1)[-1] or ".").startswith(("_", "."))


def _to_regex(files: str, of_day) -> str:
    parts, position = [], 0
    for placeholder in DAY_PLACEHOLDER.finditer(files):
        parts += [_wildcards(files[position : placeholder.start()]), of_day(placeholder[1] or ISO_DAY)]
        position = placeholder.end()
    return "".join([*parts, _wildcards(files[position:])])


def _wildcards(text: str) -> str:
    return "".join(_WILDCARDS.get(char, re.escape(char)) for char in text)


def _date_group(form: str) -> str:
    return (
        "("
        + re.sub("%[Ymd]", lambda m: _DATE_PARTS[m[0]], re.sub(r"[^%YmdA-Za-z0-9]", lambda m: re.escape(m[0]), form))
        + ")"
    )
