"""Runs that a sensor requests over ranges of days, and the runs that have to come before them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ml_assets.core.ingestion.sensor_cursor import digest_objects, group_into_ranges
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.fingerprint import digest
from ml_assets.pipeline.asset_names import FEATURES, landed_to_features
from ml_assets.resources.storage.landing import Landing


@dataclass(frozen=True)
class RangeRequest:
    """A request for a run over a range of days.

    key: equal for two requests only if they are for the same change, such as after a crash. assets: names of the assets
    that the run makes; empty for all of its job.
    """

    first: date
    last: date
    key: str
    assets: tuple[str, ...] = ()


def with_first_look_back(spec: ModelSpec, days_behind: int = 0) -> ModelSpec:
    """Return the specification with a look-back over all days that a model of the newest day reads, for a new lake.

    Args:
        spec: the model's specification.
        days_behind: age of the newest landed day, in days before yesterday.
    """
    days = spec.feature_history() // timedelta(days=1) + 1 + days_behind
    look_back = max(spec.sensor.look_back, timedelta(days=days))
    return spec.model_copy(update={"sensor": spec.sensor.model_copy(update={"look_back": look_back})})


def request_history(
    spec: ModelSpec,
    landing: Landing,
    is_validated: Callable[[date], bool],
    requests: Sequence[RangeRequest],
    now: datetime,
) -> list[RangeRequest]:
    """Request the validation of earlier landed days that were never validated and that features of `requests` read.

    Without it these features could not be computed. These days have files and lie before the look-back, as in a new
    lake over an older landing. Files are listed only if such days may exist.

    Args:
        spec: the model's specification.
        landing: where files land.
        is_validated: returns whether the lake has validated rows of a day.
        requests: the requests of the sensor, oldest first.
        now: the time, with a zone.

    Returns:
        Requests that have to come before `requests`, each with a key that stays the same until the days or their files
        change or are validated.
    """
    requested = {
        request.first + timedelta(days=number)
        for request in requests
        if not request.assets
        for number in range((request.last - request.first).days + 1)
    }
    reach = spec.reach_in_days()
    read = {day - timedelta(days=number) for day in requested for number in range(1, reach + 1)} - requested
    missing = sorted(day for day in read if day >= spec.source.start and not is_validated(day))
    if not missing:
        return []
    landed = {
        entry.day: digest_objects([(stored.key, stored.digest, stored.size) for stored in entry.objects])
        for entry in landing.complete_days(spec.source, spec.sensor, missing[0], missing[-1], now)
        if entry.objects
    }
    assets = tuple(name for name in landed_to_features(spec) if name != FEATURES)
    return [
        RangeRequest(
            first,
            last,
            f"{spec.name} history {first}...{last} "
            f"{digest([[day, landed[day]] for day in sorted(landed) if first <= day <= last])[:16]}",
            assets,
        )
        for first, last in group_into_ranges(landed.keys() & set(missing), spec.backfill.days_per_run)
    ]


def describe_history(requests: Sequence[RangeRequest]) -> str:
    """Describe the requests that come first; empty without requests."""
    if not requests:
        return ""
    ranges = ", ".join(f"{request.first} to {request.last}" for request in requests)
    return f"earlier landed days that features read were never validated, and are requested first: {ranges}"
