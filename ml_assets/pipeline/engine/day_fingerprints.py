"""Fingerprints of days as inputs of a stage or a check.

This module imports nothing of the reports, whose code would then be part of the code version of the stages.
"""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_assets.resources.lake.table import Table


def day_fingerprints(tables: "Iterable[Table]", days: Iterable[date]) -> list[list[object]]:
    """List each day with the fingerprints of its rows, and of the inputs that it was last computed from, by table."""
    opened = list(tables)
    return [
        [day.isoformat(), *((table.fingerprint(day), table.input_fingerprint(day)) for table in opened)] for day in days
    ]
