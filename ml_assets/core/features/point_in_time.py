"""Point-in-time features: built for each row of a day from the data known at the time of the row."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ml_assets.core.features.custom import custom_features
from ml_assets.core.features.key_index import Timeline, microseconds, sorted_order
from ml_assets.core.features.window_aggregates import as_floats, window_features
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import (
    Calendar,
    Categorical,
    CustomFeatures,
    Feature,
    RowTransform,
    WindowAggregate,
)
from ml_assets.core.tables.day_boundaries import beginning_of_day

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
    needed = {*spec.identity_columns()}
    for feature in spec.features:
        if isinstance(feature, RowTransform | Categorical):
            needed.update(feature.columns)
        elif isinstance(feature, WindowAggregate):
            needed.update([*feature.key, *([feature.value] if feature.value else [])])
        elif isinstance(feature, CustomFeatures):
            needed.update(spec.columns)
    return [name for name in spec.columns if name in needed and (spec.labels is None or name != spec.target)]


def feature_frame_order(spec: ModelSpec) -> list[str]:
    """Return the columns of the features table: identity columns, then other features, in the order of the spec."""
    return list(dict.fromkeys([*spec.row_identity_columns(), *spec.feature_names()]))


def build_features(spec: ModelSpec, rows: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Build the features of one day.

    Args:
        spec: the model.
        rows: validated rows of one day in the time zone of the source, in any order, with at least `columns_read(spec)`
            and, if `label_days_read` returns days, the target, which may be missing in every row; event times are
            tz-aware.
        history: validated rows of earlier days, at least those of `days_read(spec)`, in any order. Rows that no row of
            the day can see have no influence.

    Returns:
        One row per row of `rows`, sorted by event time and row key, with the columns of `feature_frame_order`. Identity
        columns are as in `rows`, even if they are also features; other categorical features are text or None; all other
        features are float64, NaN if missing; only those of custom functions may be infinite.

    Raises:
        ValueError: a column or the time zone of the event time is missing, `rows` holds more than one day, `history`
            holds rows of that day or later, or a custom function violates its contract.
    """
    for argument, frame in [("rows", rows), ("history", history)]:
        if len(frame) or argument == "rows":
            _check_columns(spec, argument, frame)
    rows = rows.take(sorted_order(rows[spec.row_key], first=microseconds(rows[spec.event_time]))).reset_index(drop=True)
    if rows.empty:
        columns = {name: np.empty(0) for name in spec.feature_names()}
    else:
        columns = _numeric_features(spec, rows, _sort_by_time(spec, history, _beginning_of_day(spec, rows)))
    columns |= {name: _as_text(rows[name], spec.columns[name].type) for name in spec.categorical_features()}
    columns |= {name: rows[name] for name in spec.row_identity_columns()}
    return pd.DataFrame({name: columns[name] for name in feature_frame_order(spec)})


def _check_columns(spec: ModelSpec, argument: str, frame: pd.DataFrame) -> None:
    needed = [*columns_read(spec), *([spec.target] if label_days_read(spec) else [])]
    if missing := [name for name in needed if name not in frame]:
        raise ValueError(
            f"features of {spec.name}: {argument} lacks {', '.join(missing)}; read the columns of columns_read"
        )
    if not isinstance(frame[spec.event_time].dtype, pd.DatetimeTZDtype) and len(frame):
        raise ValueError(
            f"features of {spec.name}: {spec.event_time} of {argument} is {frame[spec.event_time].dtype};"
            " times need a time zone"
        )


def _numeric_features(spec: ModelSpec, rows: pd.DataFrame, history: pd.DataFrame) -> dict[str, np.ndarray | pd.Series]:
    columns: dict[str, np.ndarray | pd.Series] = {}
    for feature in spec.features:
        if isinstance(feature, RowTransform):
            columns |= {
                name: _transform(as_floats(rows[column]), feature.kind)
                for column, name in zip(feature.columns, feature.names(), strict=True)
            }
        elif isinstance(feature, Calendar):
            local = rows[spec.event_time].dt.tz_convert(ZoneInfo(spec.source.time_zone))
            columns |= {
                name: _calendar_part(local, part, feature.night_hours)
                for part, name in zip(feature.parts, feature.names(), strict=True)
            }
        elif isinstance(feature, CustomFeatures):
            columns |= custom_features(spec, feature, rows, history, _beginning_of_day(spec, rows))
    if windows := [feature for feature in spec.features if isinstance(feature, WindowAggregate)]:
        columns |= window_features(windows, Timeline(rows, history, spec.event_time, spec.row_key))
    return columns


def _transform(values: np.ndarray, kind: str) -> np.ndarray:
    with np.errstate(all="ignore"):
        result = {"column": np.positive, "log1p": np.log1p, "sqrt": np.sqrt, "square": np.square}[kind](values)
    return np.where(np.isfinite(result), result, np.nan)


def _calendar_part(local: pd.Series, part: str, night: tuple[int, int]) -> np.ndarray:
    match part:
        case "weekend":
            result = local.dt.weekday >= 5
        case "night":
            first, last = night
            after, before = local.dt.hour >= first, local.dt.hour <= last
            result = after & before if first <= last else after | before
        case _:
            result = getattr(local.dt, part)
    return result.to_numpy(np.float64)


def _as_text(values: pd.Series, kind: str) -> pd.Series:
    """Convert categories to text (3, True, grocery), None if missing.

    Integers and booleans with missing values, which pandas may hold as floats, keep their text.
    """
    if kind != "string":
        values = values.astype("Int64" if kind == "integer" else "boolean").astype("string")
    return values.astype(object).where(values.notna(), None)


def _beginning_of_day(spec: ModelSpec, rows: pd.DataFrame) -> pd.Timestamp:
    zone = ZoneInfo(spec.source.time_zone)
    first, last = (rows[spec.event_time].iloc[position].tz_convert(zone).date() for position in (0, -1))
    if first != last:
        raise ValueError(
            f"features of {spec.name}: rows holds days from {first} to {last} in {spec.source.time_zone};"
            " pass the rows of one day"
        )
    return beginning_of_day(first, spec.source.time_zone)


def _sort_by_time(spec: ModelSpec, history: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    if history.empty:
        return history
    times = microseconds(history[spec.event_time])
    if (latest := history[spec.event_time].max()) >= day:
        raise ValueError(
            f"features of {spec.name}: history holds a row at {latest}, but the day begins at {day};"
            " pass rows before that moment as history and the rows of the day as rows"
        )
    # Days are usually stored and read in order, and copying the history takes longer than everything else.
    return history if (times[1:] >= times[:-1]).all() else history.take(np.argsort(times, kind="stable"))


def _clock_change(spec: ModelSpec) -> timedelta:
    """Return the largest difference between UTC offsets of the source's time zone over its days; 0 for a fixed offset.

    A source without an end is taken to last 20 years.
    """
    zone = ZoneInfo(spec.source.time_zone)
    first = spec.source.start - spec.longest_reach() - DAY
    # The last day may itself be the longer one.
    days = ((spec.source.end or spec.source.start + 20 * 365 * DAY) + DAY - first).days
    # No offset in the time zone database, not even during Ramadan, lasts less than a week.
    offsets = {_offset(zone, first + back * DAY) for back in [*range(0, days, 7), days]}
    return max(offsets) - min(offsets)


def _offset(zone: ZoneInfo, day: date) -> timedelta:
    return datetime.combine(day, time(), zone).utcoffset() or ZERO
