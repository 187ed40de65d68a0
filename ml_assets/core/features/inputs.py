"""Days and columns that features read, known from the specification alone."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import Categorical, CustomFeatures, Feature, RowTransform, WindowAggregate

DAY = timedelta(days=1)
ZERO = timedelta(0)


def days_read(spec: ModelSpec) -> list[int]:
    """Return the days that the features of a day read, as ascending offsets in days before it, always with 0.

    Days that no feature can read are not included. A window of length w and delay d covers for a row at time t the
    times in (t - d - w, t - d]. With t anywhere in the day these are the days from floor(d) to ceil(d + w) before it,
    counted in days of 24 hours: for w = 1d and d = 7d the days 7 and 8. A custom function that reads r sees the times
    later than r before the beginning of the day.
    """
    return sorted({0} | _visible_offsets(spec, spec.features))


def label_days_read(spec: ModelSpec) -> list[int]:
    """Return the days whose labels the features of a day read, as ascending offsets in days before it.

    Windows over the target and custom functions read labels. If labels come in files of their own, the frames of these
    days need the target column, as in effect on the previous day.
    """
    return sorted(offset for offset in _visible_offsets(spec, spec.target_features()) if offset)


def _visible_offsets(spec: ModelSpec, features: Sequence[Feature]) -> set[int]:
    # Where the clocks change, days have 23 or 25 hours, which shifts the beginning of an earlier day against multiples
    # of 24 hours by up to that change.
    shift = _clock_change(spec)
    offsets: set[int] = set()
    for feature in features:
        if isinstance(feature, WindowAggregate):
            for window in [*feature.windows, *([feature.within] if feature.within else [])]:
                newest = max((feature.delay - shift) // DAY, 0)
                offsets.update(range(newest, -(-(feature.delay + window + shift) // DAY) + 1))
        elif isinstance(feature, CustomFeatures) and feature.reads:
            offsets.update(range(-(-(feature.reads + shift) // DAY) + 1))
    return offsets


def columns_read(spec: ModelSpec) -> list[str]:
    """Return the columns of the validated data that the features table needs, in the order of the spec.

    A custom function needs all columns. The target is not included if labels come in files of their own.
    """
    return _without_late_target(spec, {*spec.identity_columns(), *feature_columns_read(spec)})


def feature_columns_read(spec: ModelSpec) -> set[str]:
    """Return the columns that features are computed from, of the row itself and of earlier rows."""
    needed = set(history_columns_read(spec))
    for feature in spec.features:
        if isinstance(feature, RowTransform | Categorical):
            needed.update(feature.columns)
    return needed


def history_columns_read(spec: ModelSpec) -> list[str]:
    """Return the columns of earlier days that the features of a day need, in the order of the spec; the target is not
    included if labels come in files of their own.
    """
    needed = {spec.event_time}
    for feature in spec.features:
        if isinstance(feature, WindowAggregate):
            needed.update([*feature.key, *([feature.value] if feature.value else [])])
            needed.update(spec.row_key if feature.last_rows else [])
        elif isinstance(feature, CustomFeatures):
            needed.update(spec.columns)
    return _without_late_target(spec, needed)


def _without_late_target(spec: ModelSpec, needed: set[str]) -> list[str]:
    return [name for name in spec.columns if name in needed and (spec.labels is None or name != spec.target)]


def _clock_change(spec: ModelSpec) -> timedelta:
    """Return the largest difference between UTC offsets of the source's time zone over its days; 0 for a fixed offset.

    A source without an end is taken to last 20 years.
    """
    first = spec.source.start - spec.longest_reach() - DAY
    # The last day may itself be the longer one.
    days = ((spec.source.end or spec.source.start + 20 * 365 * DAY) + DAY - first).days
    return _difference_of_offsets(spec.source.time_zone, first, days)


@lru_cache
def _difference_of_offsets(time_zone: str, first: date, days: int) -> timedelta:
    """Return the largest difference between UTC offsets of a time zone within a number of days from a first day on."""
    zone = ZoneInfo(time_zone)
    # No offset in the time zone database, not even during Ramadan, lasts less than a week.
    offsets = {_offset(zone, first + back * DAY) for back in [*range(0, days, 7), days]}
    return max(offsets) - min(offsets)


def _offset(zone: ZoneInfo, day: date) -> timedelta:
    return datetime.combine(day, time(), zone).utcoffset() or ZERO
