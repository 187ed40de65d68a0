"""Faults of a request as listed in its answer: a few, shortened, and the number of further faults."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ml_assets.core.counts import count
from ml_assets.core.ingestion.json_reader import NumberLiteral, UnreadableText, json_text
from ml_assets.core.ingestion.values.text_decoding import escape
from ml_assets.core.serving.row_parser import Converted

MAX_INPUT_CHARACTERS = 200
MAX_MESSAGE_CHARACTERS = 300
MAX_NAME_CHARACTERS = 100
MAX_BYTES = 4_000
"""Maximum size of a list of faults as JSON."""
MORE = "more"
"""Type of the last entry of a list that omits faults."""


def fault_of(details: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a fault from pydantic's form to FastAPI's, with everything that the client sent shortened.

    Args:
        details: `type`, `loc`, `msg` and `input`, as in `pydantic.ValidationError.errors`.
    """
    value = details.get("input")
    if isinstance(value, Converted):
        value = value.original
    if isinstance(value, NumberLiteral) and len(value) < 20 and value.removeprefix("-").isdecimal():
        value = int(value)
    elif isinstance(value, dict | list):
        # Its values may be `Converted`, and a long object is not worth writing out in full.
        value = f"an object with {count(len(value), 'field')}" if isinstance(value, dict) else json_text(value)
    elif isinstance(value, UnreadableText | NumberLiteral):
        value = json_text(value) or ""
    if isinstance(value, str):
        value = shorten(value, MAX_INPUT_CHARACTERS)
    elif not isinstance(value, int | None):
        value = None
    location = [
        shorten(part, MAX_NAME_CHARACTERS) if isinstance(part, str) else part for part in ("body", *details["loc"])
    ]
    return {
        "type": details["type"],
        "loc": location,
        "msg": shorten(details["msg"], MAX_MESSAGE_CHARACTERS),
        "input": value,
    }


def shorten(text: str, characters: int) -> str:
    """Return the beginning of a text, with escapes for parts that are not Unicode."""
    return escape(text[:characters])[:characters]


def list_faults(faults: Sequence[dict[str, Any]], total: int, is_complete: bool = True) -> list[dict[str, Any]]:
    """Return as many of the first faults as fit in `MAX_BYTES` as JSON, and an entry "and N more" for the others.

    Args:
        faults: the first faults of a request.
        total: number of its faults.
        is_complete: whether all its faults were counted.
    """
    listed, size = [], 0
    for fault in faults:
        size += len(json.dumps(fault)) + 2
        if listed and size > MAX_BYTES:
            break
        listed.append(fault)
    if total > len(listed):
        number = f"{total - len(listed):,}" if is_complete else f"at least {total - len(listed):,}"
        listed.append({"type": MORE, "loc": ["body"], "msg": f"and {number} more", "input": None})
    return listed
