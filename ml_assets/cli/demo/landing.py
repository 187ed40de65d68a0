"""Simulated landing files of the fraud_detection model."""

import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from ml_assets.cli.command_inputs import require_settings, require_spec
from ml_assets.cli.demo.simulator import simulate_days
from ml_assets.resources.storage.open_store import open_objects

SIMULATED_MODEL = "fraud_detection"
# A marker that exists while files are written; its name matches no data file.
IN_PROGRESS = "fraud_detection/_simulating"
KEY = "fraud_detection/{day}/transactions.parquet"


def simulate_landing(days: int, start: date | None = None) -> None:
    """Write simulated transactions into the landing of the settings, and print their number.

    Args:
        days: the number of days.
        start: the first day; None for the model's `source.start`.

    Raises:
        SystemExit: with a message, in production.
    """
    spec, settings = require_spec(SIMULATED_MODEL), require_settings()
    if settings.is_production:
        sys.exit("ML_ASSETS_ENV is production, where nothing is simulated; unset it to simulate files on this machine")
    rows = write_landing(settings.landing, start or spec.source.start, days, s3=settings.s3)
    print(f"{rows:,} transactions have landed under {settings.landing}")


def was_interrupted(landing: str | Path, s3: Mapping[str, str] | None = None) -> bool:
    """Return whether a process died before it wrote all files of `write_landing`."""
    return next(open_objects(str(landing), s3 or {}).keys(IN_PROGRESS), None) is not None


def write_landing(
    landing: str | Path,
    start: date,
    days: int,
    report: Callable[[date], object] | None = None,
    s3: Mapping[str, str] | None = None,
) -> int:
    """Write `fraud_detection/<day>/transactions.parquet` under a landing for `days` days from `start` on.

    A file appears complete or not at all; an existing one is replaced by the same rows.

    Args:
        landing: a directory, created when it does not exist, or s3://bucket/prefix.
        start: the first day.
        days: the number of days.
        report: called with each day once its file is written.
        s3: arguments of dagster-aws's S3Resource for s3:// (endpoint_url, region_name).

    Returns:
        The number of rows written.

    Raises:
        ValueError: when days is negative.
    """
    rows, objects = 0, open_objects(str(landing), s3 or {})
    for day, frame in simulate_days(start, days):
        if day == start:
            objects.write(IN_PROGRESS, b"")
        objects.write(KEY.format(day=day.isoformat()), frame.to_parquet(index=False))
        rows += len(frame)
        if report is not None:
            report(day)
    objects.delete(IN_PROGRESS)
    return rows


def is_simulated(landing: Path, path: Path) -> bool:
    """Return whether a landed file has the content that `write_landing` writes, so that it can be made again.

    Args:
        landing: the directory of landed files.
        path: a file in it.
    """
    key = path.relative_to(landing).as_posix()
    if key == IN_PROGRESS:
        return True
    try:
        day = date.fromisoformat(path.parent.name)
    except ValueError:
        return False
    if key != KEY.format(day=day.isoformat()):
        return False
    [(_, frame)] = simulate_days(day, 1)
    return path.read_bytes() == frame.to_parquet(index=False)
