"""A day in the lake, compared with its landed objects."""

from typing import Literal, NamedTuple

DayStatus = Literal["current", "absent", "changed", "refused"]
"""current: the lake holds the day as it landed. absent: nothing has landed and the day was never computed, or retention
removed its rows. changed: the landed files differ, and the day may be computed. refused: they differ, and the day is
closed.
"""


class DayInLake(NamedTuple):
    """A day in the lake, compared with its landed objects. version: identifies the committed version of the day; empty
    if there is none.
    """

    status: DayStatus
    version: str
