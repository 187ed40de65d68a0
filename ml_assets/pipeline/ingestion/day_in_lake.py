"""A day in the lake, compared with its landed objects."""

from typing import Literal, NamedTuple

DayStatus = Literal["current", "changed", "refused"]
"""current: the lake holds the day as it landed. changed: it does not, and the day may be made. refused: it does not,
and the day is closed.
"""


class DayInLake(NamedTuple):
    """A day in the lake, compared with its landed objects. version: what the day was made from; empty if nothing."""

    status: DayStatus
    version: str
