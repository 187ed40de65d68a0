"""Committed rows of small days, read once for all reports and checks of a step."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Generic, TypeVar

from ml_assets.resources.lake.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Rows = TypeVar("Rows")
MAX_DAYS = 1_000


class CommittedRows(Generic[Rows]):
    """The committed rows of days of a table, each day read once until its fingerprint changes.

    Args:
        table: a table with few rows per day; the newest MAX_DAYS days that were read are kept.
        convert: converts the rows of a day; callers share the result, so they must not change it.
    """

    def __init__(self, table: Table, convert: "Callable[[pa.Table], Rows]"):
        self._table = table
        self._convert = convert
        self._kept: dict[date, tuple[int, Rows]] = {}

    def read(self, day: date) -> Rows:
        """Read the rows of a day; a day that was never committed is read each time.

        Raises:
            DamagedDay: when a file of the day is damaged or gone.
        """
        fingerprint = self._table.fingerprint(day)
        kept = self._kept.get(day)
        if kept is not None and kept[0] == fingerprint:
            return kept[1]
        rows = self._convert(self._table.read([day]))
        if fingerprint is not None:
            self._kept.pop(day, None)
            self._kept[day] = fingerprint, rows
            if len(self._kept) > MAX_DAYS:
                del self._kept[next(iter(self._kept))]
        return rows


def to_rows(table: "pa.Table") -> list[dict]:
    """Convert a table to one dictionary per row."""
    return table.to_pylist()
