"""Point-in-time features: built for each row of a day from the data known at the time of the row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ml_assets.core.features.custom import custom_features
from ml_assets.core.features.inputs import columns_read, history_columns_read, label_days_read
from ml_assets.core.features.key_index import Timeline, microseconds, sorted_order
from ml_assets.core.features.row_features import as_text, calendar_columns, transformed_columns
from ml_assets.core.features.window_aggregates import window_features
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import (
    Calendar,
    CustomFeatures,
    RowTransform,
    WindowAggregate,
)
from ml_assets.core.tables.day_boundaries import beginning_of_day

LabelsAsOf = Callable[[date], pd.Series]
DAY = timedelta(days=1)
ZERO = timedelta(0)


def feature_frame_order(spec: ModelSpec) -> list[str]:
    """Return the columns of the features table: identity columns, then other features, in the order of the spec."""
    return list(dict.fromkeys([*spec.row_identity_columns(), *spec.feature_names()]))


def build_features(
    spec: ModelSpec, rows: pd.DataFrame, history: pd.DataFrame, labels: LabelsAsOf | None = None
) -> pd.DataFrame:
    """Build the features of one day, or of several days at once; each row has the same features either way.

    Args:
        spec: the model.
        rows: validated rows of the days in the time zone of the source, in any order, with at least
            `columns_read(spec)` and, if `label_days_read` returns days and `labels` is None, the target, which may be
            missing in every row; event times are tz-aware.
        history: validated rows of earlier days, at least of the days in `days_read(spec)`, in any order. Rows that no
            row of the days can see have no influence.
        labels: for labels in files of their own: returns the target of `history` followed by `rows` as of the beginning
            of a day, missing where the features of that day do not read it. `history` and `rows` are then in order of
            event time and row key.

    Returns:
        One row per row of `rows`, sorted by event time and row key, with the columns of `feature_frame_order`. Identity
        columns are as in `rows`, even if they are also features; other categorical features are text or None; all other
        features are float64, NaN if missing; only features of custom functions may be infinite.

    Raises:
        ValueError: a column or the time zone of the event time is missing, `history` holds rows of the first day or
            later, or a custom function violates its contract.
    """
    for argument, frame in [("rows", rows), ("history", history)]:
        if len(frame) or argument == "rows":
            _check_columns(spec, argument, frame, labels is not None)
    order = sorted_order(rows[spec.row_key], first=microseconds(rows[spec.event_time]))
    # Reindexing copies the columns into blocks, so it is done only if the order of the rows changes.
    if (np.diff(order) != 1).any() or not rows.index.equals(pd.RangeIndex(len(rows))):
        rows = rows.take(order).reset_index(drop=True)
    if rows.empty:
        columns = {name: np.empty(0) for name in spec.feature_names()}
    else:
        days = _split_by_day(spec, rows)
        columns = _numeric_features(spec, rows, _in_order_of_time(spec, history, days[0].begins), days, labels)
    columns |= {name: as_text(rows[name], spec.columns[name].type) for name in spec.categorical_features()}
    columns |= {name: rows[name] for name in spec.row_identity_columns()}
    # Without a copy, columns of the same type are not moved into one block.
    return pd.DataFrame({name: columns[name] for name in feature_frame_order(spec)}, copy=False)


def _check_columns(spec: ModelSpec, argument: str, frame: pd.DataFrame, has_labels: bool) -> None:
    needed = columns_read(spec) if argument == "rows" else history_columns_read(spec)
    needed += [spec.target] if label_days_read(spec) and not has_labels else []
    if missing := [name for name in needed if name not in frame]:
        raise ValueError(
            f"features of {spec.name}: {argument} lacks {', '.join(missing)}; read the columns of columns_read"
        )
    if not isinstance(frame[spec.event_time].dtype, pd.DatetimeTZDtype) and len(frame):
        raise ValueError(
            f"features of {spec.name}: {spec.event_time} of {argument} is {frame[spec.event_time].dtype};"
            " times need a time zone"
        )


@dataclass(frozen=True)
class _Day:
    """One of several days: the day, its first instant and the positions of its rows."""

    day: date
    begins: pd.Timestamp
    rows: slice


def _split_by_day(spec: ModelSpec, rows: pd.DataFrame) -> list[_Day]:
    """List the days that have rows; `rows` are in order of time."""
    zone = spec.source.time_zone
    first, last = (rows[spec.event_time].iloc[at].tz_convert(ZoneInfo(zone)).date() for at in (0, -1))
    dates = [first + number * DAY for number in range((last - first).days + 1)]
    begins = [beginning_of_day(day, zone) for day in dates]
    ends = [*np.searchsorted(microseconds(rows[spec.event_time]), microseconds(pd.Series(begins[1:]))), len(rows)]
    slices = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    return [_Day(*of_day) for of_day in zip(dates, begins, slices, strict=True) if of_day[2].start < of_day[2].stop]


def _numeric_features(
    spec: ModelSpec, rows: pd.DataFrame, history: pd.DataFrame, days: list[_Day], labels: LabelsAsOf | None
) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    windows: list[WindowAggregate] = []
    by_day: list[WindowAggregate | CustomFeatures] = []
    for feature in spec.features:
        match feature:
            case RowTransform():
                columns |= transformed_columns(feature, rows)
            case Calendar():
                columns |= calendar_columns(feature, rows[spec.event_time], spec.source.time_zone)
            case WindowAggregate() if labels is None or feature.value != spec.target:
                windows.append(feature)
            case WindowAggregate() | CustomFeatures():
                by_day.append(feature)
    if windows:
        columns |= window_features(windows, Timeline(rows, history, spec.event_time, spec.row_key))
    if by_day:
        parts = [_features_of_day(spec, by_day, rows, history, day, labels) for day in days]
        columns |= {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return columns


def _features_of_day(
    spec: ModelSpec,
    features: Sequence[WindowAggregate | CustomFeatures],
    rows: pd.DataFrame,
    history: pd.DataFrame,
    day: _Day,
    labels: LabelsAsOf | None,
) -> dict[str, np.ndarray]:
    """Compute the features that depend on the day: those of custom functions, and windows over labels as of that
    day."""
    of_day, earlier = rows.iloc[day.rows].reset_index(drop=True), rows.iloc[: day.rows.start]
    before = pd.concat([history, earlier], ignore_index=True) if len(earlier) else history
    if labels is not None:
        target = labels(day.day).array
        before = before.assign(**{spec.target: target[: len(before)]})
        of_day = of_day.assign(**{spec.target: target[len(before) : len(before) + len(of_day)]})
    columns: dict[str, np.ndarray] = {}
    if windows := [feature for feature in features if isinstance(feature, WindowAggregate)]:
        columns |= window_features(windows, Timeline(of_day, before, spec.event_time, spec.row_key))
    for feature in features:
        if isinstance(feature, CustomFeatures):
            columns |= custom_features(spec, feature, of_day, before, day.begins)
    return columns


def _in_order_of_time(spec: ModelSpec, history: pd.DataFrame, begins: pd.Timestamp) -> pd.DataFrame:
    if history.empty:
        return history
    times = microseconds(history[spec.event_time])
    if (latest := history[spec.event_time].max()) >= begins:
        raise ValueError(
            f"features of {spec.name}: history holds a row at {latest}, but the day begins at {begins};"
            " pass rows before that moment as history and the rows of the day as rows"
        )
    # Days are usually stored and read in order, and copying the history takes longer than everything else.
    return history if (times[1:] >= times[:-1]).all() else history.take(np.argsort(times, kind="stable"))
