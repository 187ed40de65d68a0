"""The memory that the values of a row take, by column type."""

from collections.abc import Iterable

NUMBER, TEXT = 8, 72
"""Bytes of a number, boolean or time, and of a short text including the references to it."""


def bytes_of(types: Iterable[str]) -> int:
    """Return the bytes of one value of each column type of a specification."""
    return sum(TEXT if kind == "string" else NUMBER for kind in types)
