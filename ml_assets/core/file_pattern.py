"""The file pattern of a source: which keys belong to a day, and which day a key belongs to."""

import re
from datetime import date, datetime
from functools import lru_cache

from ml_assets.core.spec.source import DAY_PLACEHOLDER

_WILDCARDS = {"*": "[^/]*", "?": "[^/]"}
_DATE_PARTS = {"%Y": r"\d{4}", "%m": r"\d{2}", "%d": r"\d{2}"}
ISO_DAY = "%Y-%m-%d"


@lru_cache(maxsize=1024)
def keys_pattern(files: str, day: date) -> re.Pattern[str]:
    """A regular expression that the whole key (relative to the landing root, `/` between levels) of a file of `day` matches."""
    return re.compile(_to_regex(files, lambda form: re.escape(day.strftime(form))))


def fixed_prefix(files: str, day: date | None = None) -> str:
    """The part of the keys of `day` (of all days without one) that stands before the first wildcard: what a listing may begin with."""
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


def marker_key(files: str, marker: str) -> str:
    """The pattern of the keys of a marker that lies in the folder of a day's files."""
    return f"{files.rpartition('/')[0]}/{marker}"


def is_data_file(key: str) -> bool:
    """Whether the name of the file, without its folders, begins with neither `_` nor `.` (markers and unfinished files)."""
    return not key.rsplit("/", 1)[-1].startswith(("_", "."))


def _to_regex(files: str, of_day) -> str:
    parts, position = [], 0
    for placeholder in DAY_PLACEHOLDER.finditer(files):
        parts += [_wildcards(files[position : placeholder.start()]), of_day(placeholder[1] or ISO_DAY)]
        position = placeholder.end()
    return "".join([*parts, _wildcards(files[position:])])


def _wildcards(text: str) -> str:
    return "".join(_WILDCARDS.get(char, re.escape(char)) for char in text)


def _date_group(form: str) -> str:
    return "(" + re.sub("%[Ymd]", lambda m: _DATE_PARTS[m[0]], re.sub(r"[^%YmdA-Za-z0-9]", lambda m: re.escape(m[0]), form)) + ")"
