"""Suggestions for misspelled fields."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, get_args, get_origin

from ml_assets.core.model_spec.model import ModelSpec
from ml_assets.core.model_spec.types.base import SpecPart


def nearest_field(location: Sequence[str | int]) -> str | None:
    """Return the field of a specification that is nearest to an unknown one; None if none is near.

    Args:
        location: path of the unknown field below `attributes`, as in pydantic's errors.
    """
    types: list[Any] = [ModelSpec]
    for part in location[:-1]:
        # The tag of a union is also a part of the path, but selects no field.
        types = [below for kind in types for below in _below(kind, part)] or types
    names = dict.fromkeys(name for kind in types for leaf in _leaves(kind) for name in _fields(leaf))
    close = difflib.get_close_matches(str(location[-1]).lower(), names, 1)
    return close[0] if close else None


def _below(kind: Any, part: str | int) -> Iterator[Any]:
    for leaf in _leaves(kind):
        fields = _fields(leaf)
        if part in fields:
            yield fields[part].annotation
        elif get_origin(leaf) in (dict, list, tuple):
            yield get_args(leaf)[1 if get_origin(leaf) is dict else 0]


def _leaves(kind: Any) -> Iterator[Any]:
    """Yield the members of a union without their annotations, or the type itself if it is not a union."""
    if get_origin(kind) is Annotated:
        yield from _leaves(get_args(kind)[0])
    elif get_args(kind) and get_origin(kind) not in (dict, list, tuple):
        for member in get_args(kind):
            yield from _leaves(member)
    else:
        yield kind


def _fields(kind: Any) -> dict[Any, Any]:
    return dict(kind.model_fields) if isinstance(kind, type) and issubclass(kind, SpecPart) else {}
