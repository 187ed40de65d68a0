"""Damage found by a scrub: a file whose content differs from what was written."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Damage:
    """A damaged or missing file.

    Attributes:
        file: location of the file.
        reason: how it differs from what was written.
        lost: what is lost with it.
        remedy: what to do.
        day: the day of its rows, if it has any.
    """

    file: str
    reason: str
    lost: str
    remedy: str
    day: date | None = None
