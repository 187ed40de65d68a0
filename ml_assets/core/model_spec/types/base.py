"""The base class of all parts of a specification, and the names that they may not use."""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

# Names of columns that the pipeline adds to its tables.
RESERVED = ("day", "event_day", "score", "decision", "model_version", "side", "reasons")


class SpecPart(BaseModel):
    """A frozen part of a model's specification that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
