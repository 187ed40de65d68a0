"""Changes to the text of keys that a spreadsheet, a float or a fixed width causes, and a canonical form without
them."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal

from ml_assets.core.ingestion.values.invisible_characters import drop_invisible

_SEPARATORS = "[,.' _\u2019]"
_THOUSANDS = re.compile(f"^([+-]?[0-9]{{1,3}})({_SEPARATORS}[0-9]{{3}})+$")
_EXPONENT = re.compile(r"^[0-9](\.[0-9]+)?e\+?[0-9]{1,2}$")
_GROUPED_HEX = re.compile(r"^\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$")
SEPARATOR = " | "
"""Between the columns of a key."""


def _strip(text: str) -> str:
    return drop_invisible(unicodedata.normalize("NFKC", text)).strip().strip("'\"").strip()


def _drop_grouping(text: str) -> str:
    if _GROUPED_HEX.fullmatch(text.lower()):
        return text.strip("{}").replace("-", "")
    return re.sub(_SEPARATORS, "", text) if _THOUSANDS.fullmatch(text) else text


def _drop_fraction(text: str) -> str:
    return re.sub(r"^([+-]?[0-9]+)\.0{0,2}$", r"\1", text)


def _expand(text: str) -> str:
    return f"{Decimal(text):f}" if _EXPONENT.fullmatch(text.lower()) else text


def _drop_zeros(text: str) -> str:
    return re.sub(r"^\+?0+(?=[0-9A-Za-z])", "", text)


# In the order in which they are applied.
_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("surrounding space, quotes or invisible characters", _strip),
    ("letter case", str.casefold),
    ("a trailing .0", _drop_fraction),
    ("an exponent", _expand),
    ("digit separators", _drop_grouping),
    ("leading zeros", _drop_zeros),
)


def canonical_form(texts: Iterable[str]) -> list[str]:
    """Return the canonical form of each key, without differences in leading zeros, surrounding space, letter case, a
    trailing .0, an exponent and thousands separators.

    Keys with the same form need not be the same key: the form finds candidates for people, and is never used for a
    join.
    """
    return [SEPARATOR.join(map(_canonical, text.split(SEPARATOR))) for text in texts]


def describe_difference(first: str, second: str) -> str:
    """Name the difference in form between two keys of the same canonical form."""
    return " and ".join(_differences(first, second)) or "none"


def _differences(first: str, second: str) -> list[str]:
    parts = [first.split(SEPARATOR), second.split(SEPARATOR)]
    for name, step in _STEPS:
        changed = [[step(part) for part in text] for text in parts]
        if changed[0] == changed[1]:
            return [name]
    names = []
    for name, step in _STEPS:
        changed = [[step(part) for part in text] for text in parts]
        if changed != parts:
            names.append(name)
        parts = changed
    return names


def _canonical(text: str) -> str:
    for _, step in _STEPS:
        text = step(text)
    return text
