"""Descriptions of missing columns, with lookalike names in the file."""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from ml_assets.core.ingestion.values.invisible_characters import drop_invisible, is_invisible

_MAX_NAMES, _MAX_LENGTH = 20, 100
_MOST_COMPARED = 1000
# Shorter names, such as `n`, are part of many names by chance.
_SHORTEST_PART = 3


def describe_missing_columns(missing: Mapping[str, str], file_columns: Sequence[str]) -> str:
    """Describe the columns that a file lacks.

    Args:
        missing: the name in the file that is expected, by column.
        file_columns: the names in the file.
    """
    names = ", ".join(f"{name} (as {source})" if source != name else name for name, source in missing.items())
    columns = ", ".join(map(_shorten, file_columns[:_MAX_NAMES])) or "none"
    lookalikes = describe_lookalikes(missing.values(), file_columns)
    looks = {_visible(name) for name in file_columns}
    nearest = _nearest_names((name for name in missing.values() if _visible(name) not in looks), file_columns)
    guesses = [f"{other} for {name}" if len(missing) > 1 else other for name, other in nearest.items()]
    question = [f"did you mean {' and '.join(guesses)}?"] if guesses else []
    return "; ".join([f"column missing: {names}", f"the file has {columns}", *lookalikes, *question])


def _nearest_names(expected: Iterable[str], file_columns: Sequence[str]) -> dict[str, str]:
    """Return the nearest name in a file to each expected name that has one, ignoring case."""
    by_lower = {name.lower(): name for name in file_columns[:_MOST_COMPARED]}
    nearest = {}
    for name in expected:
        lower = name.lower()
        within = [other for other in by_lower if _is_part(lower, other) or _is_part(other, lower)]
        for other in difflib.get_close_matches(lower, by_lower, 1) or sorted(within, key=len)[:1]:
            nearest[name] = _shorten(by_lower[other])
    return nearest


def _is_part(name: str, other: str) -> bool:
    return len(name) >= _SHORTEST_PART and name in other


def describe_lookalikes(expected: Iterable[str], file_columns: Sequence[str]) -> list[str]:
    """Describe the names in a file that look like an expected name but differ, and the difference.

    Args:
        expected: the names that are not in the file.
        file_columns: the names in the file.
    """
    by_look = {_visible(name): name for name in file_columns}
    lookalikes = [(name, by_look[_visible(name)]) for name in expected if _visible(name) in by_look]
    return [f"{_shorten(other)!a} is not {name}: {_difference(name, other)}" for name, other in lookalikes]


def _visible(name: str) -> str:
    """Return the visible part of a name: without white space, invisible characters, case and Unicode forms of
    letters."""
    return "".join(drop_invisible(unicodedata.normalize("NFKC", name)).split()).casefold()


def _difference(expected: str, name: str) -> str:
    invisible = [character for character in name if _is_unseen(character) and character not in expected]
    if invisible:
        described = (f"U+{ord(char):04X} {unicodedata.name(char, 'control character')}" for char in invisible)
        return f"it contains {', '.join(dict.fromkeys(described))}"
    if name.casefold() == expected.casefold():
        return "upper and lower case differ"
    return "white space, invisible characters or the Unicode form of letters differ"


def _is_unseen(character: str) -> bool:
    return character.isspace() or is_invisible(character)


def _shorten(name: str) -> str:
    return name if len(name) <= _MAX_LENGTH else f"{name[:_MAX_LENGTH]}..."
