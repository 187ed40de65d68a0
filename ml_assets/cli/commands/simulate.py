"""Landing files of the fraud_detection model, from the simulator."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from ml_assets.cli.simulator import simulate_days
from ml_assets.resources.storage.open_store import open_objects

# There while files are written; a name that is no data file.
UNDER_WAY = "fraud_detection/_simulating"


def was_interrupted(landing: str | Path, s3: Mapping[str, str] | None = None) -> bool:
    """Whether a process that died has left only some of the files of `write_landing`."""
    return next(open_objects(str(landing), s3 or {}).keys(UNDER_WAY), None) is not None


def write_landing(
    landing: str | Path,
    start: date,
    days: int,
    report: Callable[[date], object] | None = None,
    s3: Mapping[str, str] | None = None,
) -> int:
    """Write `fraud_detection/<day>/transactions.parquet` under a landing for `days` days from `start` on.

    A file appears complete or not at all; one that is there already is replaced by the same rows.

    Args:
        landing: a directory, made when it does not exist, or s3://bucket/prefix.
        start: the first day.
        days: how many days.
        report: called with each day when its file is in place.
        s3: arguments of dagster-aws's S3Resource for s3:// (endpoint_url, region_name).

    Returns:
        The number of rows written.

    Raises:
        ValueError: when days is negative.
    """
    rows, objects = 0, open_objects(str(landing), s3 or {})
    for day, frame in simulate_days(start, days):
        if day == start:
            objects.write(UNDER_WAY, b"")
        objects.write(f"fraud_detection/{day.isoformat()}/transactions.parquet", frame.to_parquet(index=False))
        rows += len(frame)
        if report is not None:
            report(day)
    objects.delete(UNDER_WAY)
    return rows
