"""Simulated landing files of the fraud_detection model."""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from ml_assets.cli.command_inputs import require_settings, require_spec
from ml_assets.cli.demo.simulated_days import (
    DAYS,
    FIRST_DAY,
    IN_PROGRESS,
    MODEL,
    RECORD,
    keep_first_day,
    last_day_as_of,
    read_first_day,
)
from ml_assets.cli.demo.simulator import simulate_days
from ml_assets.cli.faults import check_interrupted
from ml_assets.resources.storage.open_store import open_objects

KEY = MODEL + "/{day}/transactions.parquet"


def simulate_landing(days: int | None = None, start: date | None = None) -> None:
    """Write simulated transactions into the landing of the settings, and print their number.

    Args:
        days: the number of days; None for DAYS, or without `start` for the days up to the week before today.
        start: the first day; None for the model's `source.start`.

    Raises:
        SystemExit: with a message, in production.
    """
    spec, settings = require_spec(MODEL), require_settings()
    if settings.is_production:
        sys.exit("ML_ASSETS_ENV is production, where nothing is simulated; unset it to simulate files on this machine")
    first = start or spec.source.start
    if days is None:
        newest = last_day_as_of(datetime.now(UTC).date())
        days = DAYS if start else max(DAYS, (newest - first).days + 1)
    rows = write_landing(settings.landing, first, days, s3=settings.s3)
    print(f"{rows:,} transactions have landed under {settings.landing}")


def write_landing(
    landing: str | Path,
    start: date,
    days: int,
    report: Callable[[date], object] | None = None,
    s3: Mapping[str, str] | None = None,
) -> int:
    """Write `fraud_detection/<day>/transactions.parquet` under a landing for `days` days from `start` on.

    A file appears complete or not at all; an existing one is replaced by the same rows. The first call decides by how
    many weeks the days of the simulator are moved, and records it in the landing.

    Args:
        landing: a directory, created when it does not exist, or s3://bucket/prefix.
        start: the first day.
        days: the number of days.
        report: called with each day once its file is written.
        s3: arguments of dagster-aws's S3Resource for s3:// (endpoint_url, region_name).

    Returns:
        The number of rows written.

    Raises:
        ValueError: when days is negative, or the landing has a record of its first day that is not valid.
        Interrupted: when the command got a signal to end.
    """
    rows, objects = 0, open_objects(str(landing), s3 or {})
    if not days:
        return 0
    moved_by = keep_first_day(objects, start) - FIRST_DAY
    for day, frame in simulate_days(start, days, moved_by=moved_by):
        if day == start:
            objects.write(IN_PROGRESS, b"")
        objects.write(KEY.format(day=day.isoformat()), frame.to_parquet(index=False))
        rows += len(frame)
        if report is not None:
            report(day)
        # Python drops an exception that a signal raises while an object is being destroyed.
        check_interrupted()
    objects.delete(IN_PROGRESS)
    return rows


def is_simulated(landing: Path, path: Path) -> bool:
    """Return whether a landed file has the content that `write_landing` writes, so that it can be made again.

    Args:
        landing: the directory of landed files.
        path: a file in it.
    """
    key = path.relative_to(landing).as_posix()
    if key in (IN_PROGRESS, RECORD):
        return True
    try:
        day = date.fromisoformat(path.parent.name)
    except ValueError:
        return False
    if key != KEY.format(day=day.isoformat()):
        return False
    try:
        first_day = read_first_day(open_objects(str(landing), {})) or FIRST_DAY
    except ValueError:
        return False
    [(_, frame)] = simulate_days(day, 1, moved_by=first_day - FIRST_DAY)
    return path.read_bytes() == frame.to_parquet(index=False)
