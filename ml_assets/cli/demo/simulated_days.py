"""The calendar of the simulated days: the same rows on every machine, dated to end in the week before they first land.

The first day is recorded next to the landed files, once. So landed files keep their dates.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.defs_yaml.parser import parse_documents
from ml_assets.defs.environment import load_settings
from ml_assets.defs.project import REPOSITORY
from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.landing_access import refuse_absence
from ml_assets.resources.storage.open_store import SECONDS_TO_ANSWER, open_objects

MODEL = "fraud_detection"
SPEC = REPOSITORY / "ml_assets" / "defs" / MODEL / "defs.yaml"
# The days as the simulator knows them, before their rows are moved to other dates.
FIRST_DAY = date(2026, 8, 15)
DAYS = 90
# Its name begins with _, so it is never read as data.
RECORD = f"{MODEL}/_first_day"
# A marker that exists while files are written; its name matches no data file.
IN_PROGRESS = f"{MODEL}/_simulating"
WEEK = timedelta(days=7)


def first_day_as_of(today: date) -> date:
    """Return the first of the DAYS days: whole weeks from FIRST_DAY, so that the last lies in the seven days before
    `today`.
    """
    last = FIRST_DAY + timedelta(days=DAYS - 1)
    return FIRST_DAY + (today - timedelta(days=1) - last) // WEEK * WEEK


def last_day_as_of(today: date) -> date:
    """Return the last of the days that begin with `first_day_as_of`."""
    return first_day_as_of(today) + timedelta(days=DAYS - 1)


def was_interrupted(landing: str | Path, s3: Mapping[str, str] | None = None) -> bool:
    """Return whether a process died before it had written all simulated files."""
    return next(open_objects(str(landing), s3 or {}).keys(IN_PROGRESS), None) is not None


def read_first_day(objects: Directory | Bucket) -> date | None:
    """Return the first day of the simulation in a landing; None if nothing has landed.

    A landing with files of the model but no record was written by a version that did not move the days: FIRST_DAY.

    Raises:
        ValueError: when the record is not a day that is whole weeks from FIRST_DAY.
    """
    try:
        text = objects.read(RECORD).decode(errors="replace").strip()
    except FileNotFoundError:
        return FIRST_DAY if next(objects.keys(f"{MODEL}/"), None) is not None else None
    try:
        first_day = date.fromisoformat(text)
    except ValueError:
        first_day = None
    if first_day is None or (first_day - FIRST_DAY) % WEEK:
        raise ValueError(
            f"{RECORD} in the landing is {text[:40]!r}, not a day that is whole weeks from {FIRST_DAY}; write the "
            f"first day of the simulated files into it, or start again after `ml-assets clean`"
        )
    return first_day


def keep_first_day(objects: Directory | Bucket, start: date) -> date:
    """Return the first day of the simulation in a landing, and record it before the first file lands.

    Args:
        objects: the landing.
        start: the first day to land if nothing has landed yet; its week decides.
    """
    first_day = read_first_day(objects)
    if first_day is None:
        first_day = FIRST_DAY + (start - FIRST_DAY) // WEEK * WEEK
        objects.write(RECORD, f"{first_day}\n".encode())
    return first_day


def find_first_day(landing: str | Path, s3: Mapping[str, str], is_production: bool, today: date) -> date:
    """Return the first day of the model's data: the recorded day, or the day on which a simulation would begin now.

    In production nothing is simulated, so without a record it is always FIRST_DAY.

    Raises:
        LandingUnavailable: when a bucket refuses, or does not answer in time.
        ValueError: when the record is not valid.
    """
    objects = open_objects(str(landing), s3, SECONDS_TO_ANSWER)
    # A folder that does not exist yet has no record.
    with refuse_absence(objects, str(landing)) if isinstance(objects, Bucket) else nullcontext():
        recorded = read_first_day(objects)
    return recorded or (FIRST_DAY if is_production else first_day_as_of(today))


def newer_days(landing: str | Path, last: date, today: date, s3: Mapping[str, str] | None = None) -> str | None:
    """Describe how to land the simulated days since the newest landed one.

    Args:
        landing: the landing.
        last: the newest landed day.
        today: the current day.
        s3: arguments of dagster-aws's S3Resource for s3:// (endpoint_url, region_name).

    Returns:
        A sentence with the command; None while the days end in the week before today, and where nothing is simulated.
    """
    newest = last_day_as_of(today)
    if last >= newest or next(open_objects(str(landing), s3 or {}).keys(RECORD), None) is None:
        return None
    return f"The simulated days end on {last}; `ml-assets simulate` lands those up to {newest}"


@dg.template_var
def first_simulated_day() -> str:
    """Return the value of `{{ first_simulated_day }}` in the defs.yaml of the model."""
    try:
        settings = load_settings()
    except ValueError:
        # The code that needs the settings reports what is wrong with them; the model's file is not at fault.
        return FIRST_DAY.isoformat()
    today = datetime.now(UTC).date()
    return find_first_day(settings.landing, settings.s3, settings.is_production, today).isoformat()


def read_simulated_spec(first_day: date = FIRST_DAY) -> ModelSpec:
    """Read the specification of the model for data that begin on `first_day`, regardless of what has landed."""
    [document] = parse_documents(SPEC)
    attributes = document.content["attributes"]
    return ModelSpec.model_validate({**attributes, "source": {**attributes["source"], "start": first_day}})
