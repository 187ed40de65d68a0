"""Landing files of the fraud_detection model, from the simulator."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

from ml_assets.core.simulator import simulate_days


def write_landing(root: Path, start: date, days: int, report: Callable[[date], object] | None = None) -> int:
    """Write `<root>/fraud_detection/<day>/transactions.parquet` for `days` days from `start` on.

    A file appears complete or not at all: it is written beside its place under a name that begins with `_`, which is never read, and then renamed. A
    file that is there already is replaced by the same rows.

    Args:
        root: the landing directory; made when it does not exist.
        start: the first day.
        days: how many days.
        report: called with each day when its file is in place.

    Returns:
        The number of rows written.

    Raises:
        ValueError: when days is negative.
    """
    rows = 0
    for day, frame in simulate_days(start, days):
        folder = root / "fraud_detection" / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"_transactions.parquet.{os.getpid()}"
        try:
            frame.to_parquet(unfinished, index=False)
            os.replace(unfinished, folder / "transactions.parquet")
        finally:
            unfinished.unlink(missing_ok=True)
        rows += len(frame)
        if report is not None:
            report(day)
    return rows
