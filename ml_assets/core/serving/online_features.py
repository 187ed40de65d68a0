"""Online features of a single row, from the data known at its time: the same values as in the daily batch, computed in
microseconds.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ml_assets.core.features.inputs import columns_read, days_read
from ml_assets.core.features.key_index import microseconds, sorted_order
from ml_assets.core.features.serving_skew import build_features_at
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import Calendar, Categorical, CustomFeatures, RowTransform, WindowAggregate
from ml_assets.core.serving.online_sums import NAN
from ml_assets.core.serving.online_windows import Row, RowsOfKeys
from ml_assets.core.serving.timestamps import since_epoch
from ml_assets.core.tables.day_boundaries import beginning_of_day


class RowTooOld(ValueError):
    """The row belongs to a day whose history is no longer in memory."""


def days_in_memory(spec: ModelSpec, through: date) -> tuple[date, date]:
    """Return (first day whose rows can be scored, first day of history that they read) for a history through the day
    `through`. Rows that arrive late may still belong to the newest day of the history.
    """
    first = max(through, spec.source.start)
    return first, max(first - timedelta(days=days_read(spec)[-1]), spec.source.start)


class OnlineFeatures:
    """Features of single rows, from the rows of earlier days in memory and from rows that come with the row.

    Immutable.
    """

    def __init__(self, spec: ModelSpec, history: pd.DataFrame, through: date) -> None:
        """Load the history.

        Args:
            spec: the model.
            history: validated rows of the days from `days_in_memory` to `through`, with the labels known by then and at
                least `columns_read(spec)`.
            through: the newest day of the history. A row of a later day uses the whole history. A row of `through`
                itself uses the history before that day; an earlier row is refused.
        """
        self.through, self.through_text = through, through.isoformat()
        self._spec, self._first = spec, days_in_memory(spec, through)[0]
        zone = spec.source.time_zone
        self._zone = UTC if zone == "UTC" else ZoneInfo(zone)
        self._end = since_epoch(beginning_of_day(through + timedelta(days=1), zone))
        history = (
            history.take(sorted_order(history[spec.row_key], first=microseconds(history[spec.event_time])))
            if len(history)
            else history
        )
        windows = [feature for feature in spec.features if isinstance(feature, WindowAggregate)]
        keys = dict.fromkeys(tuple(feature.key) for feature in windows)
        self._windows = [
            RowsOfKeys(history, spec.event_time, key, [f for f in windows if tuple(f.key) == key]) for key in keys
        ]
        self._own = [pair for feature in spec.features for pair in _row_features(feature)]
        calendars = [feature for feature in spec.features if isinstance(feature, Calendar)]
        self._calendar = [
            (name, part, feature.night_hours)
            for feature in calendars
            for name, part in zip(feature.names(), feature.parts, strict=True)
        ]
        custom = [feature for feature in spec.features if isinstance(feature, CustomFeatures)]
        self._custom = _Custom(spec, custom, history) if custom else None
        self._missing = dict.fromkeys(spec.feature_names(), NAN)

    @property
    def is_slow(self) -> bool:
        """Whether a row takes milliseconds, because custom functions compute features on frames."""
        return self._custom is not None

    def compute(self, row: Row, earlier: Sequence[Row]) -> dict[str, float | str | None]:
        """Compute the features of a row.

        Args:
            row: the columns of the contract except the target; times in UTC, None where missing.
            earlier: rows that are not in the history: rows of days after `through`, and of the row's own day. Earlier
                rows of committed days before the row's own have no effect; rows of its own day always count. Rows later
                than the row have no effect.

        Returns:
            The features by name, in the order of the specification; missing numbers are NaN, missing categories None.

        Raises:
            RowTooOld: when the row belongs to a day before the newest day of the history.
        """
        moment = since_epoch(row[self._spec.event_time])
        begin = None if moment >= self._end else self._beginning(row[self._spec.event_time])
        further = self._in_order(moment, row, earlier, self._end if begin is None else begin)
        features: dict[str, float | str | None] = dict(self._missing)
        for name, compute in self._own:
            features[name] = compute(row)
        if self._calendar:
            local = row[self._spec.event_time].astimezone(self._zone)  # type: ignore[attr-defined]
            for name, part, night in self._calendar:
                features[name] = _calendar_part(local, part, night)
        for rows in self._windows:
            features |= rows.features(moment, row, further, begin)
        if self._custom is not None:
            features |= self._custom.compute(row, [entry for _, entry in further])
        return features

    def _beginning(self, time: object) -> int:
        try:
            day = time.astimezone(self._zone).date()  # type: ignore[attr-defined]
        except OverflowError:
            # In zones west of Greenwich, the first hours of the year 1 in UTC belong to the year before it.
            day = date.min
        if day < self._first:
            raise RowTooOld(
                f"the row is of {day}, but the history in memory serves rows of {self._first} and later; "
                "score it with the batch"
            )
        return since_epoch(beginning_of_day(day, self._spec.source.time_zone))

    def _in_order(self, moment: int, row: Row, earlier: Sequence[Row], begin: int) -> list[tuple[int, Row]]:
        """Return (time, row) of the row and of the accompanying rows that its features use, in order of time and row
        key."""
        own = (moment, row)
        if not earlier:
            return [own]
        visible = [
            (time, entry) for entry in earlier if begin <= (time := since_epoch(entry[self._spec.event_time])) <= moment
        ]
        return sorted([*visible, own], key=lambda entry: (entry[0], *(entry[1][name] for name in self._spec.row_key)))


class _Custom:
    """Features of custom functions, computed on the same frames as in the batch."""

    def __init__(self, spec: ModelSpec, features: Sequence[CustomFeatures], history: pd.DataFrame) -> None:
        self._spec, self._history = spec.model_copy(update={"features": list(features)}), history
        self._names = [name for feature in features for name in feature.outputs]

    def compute(self, row: Row, beside: Sequence[Row]) -> Mapping[str, float]:
        spec, time = self._spec, row[self._spec.event_time]
        columns = list(dict.fromkeys([*columns_read(spec), spec.target]))
        rows = pd.DataFrame([{name: entry.get(name) for name in columns} for entry in beside], columns=columns)
        rows = rows.astype({name: _DTYPES[spec.columns[name].type] for name in columns})
        moment = pd.Timestamp(time)  # type: ignore[arg-type]
        begin = beginning_of_day(moment.tz_convert(spec.source.time_zone).date(), spec.source.time_zone)
        is_today = rows[spec.event_time] >= begin
        before = self._history[self._history[spec.event_time] < begin]
        history = pd.concat([before, rows[~is_today]], ignore_index=True) if not is_today.all() else before
        built = build_features_at(spec, rows[is_today], history, moment)
        is_row = np.logical_and.reduce([(built[name] == row[name]).to_numpy() for name in spec.row_key])
        return {name: float(built[name].to_numpy(np.float64)[is_row][0]) for name in self._names}


_DTYPES = {
    "integer": "Int64",
    "number": "float64",
    "string": "object",
    "boolean": "boolean",
    "timestamp": "datetime64[us, UTC]",
}


def _row_features(feature: object) -> list[tuple[str, Callable[[Row], float | str | None]]]:
    """Return (name, function of the row) for each column of a feature that depends only on the row."""
    if isinstance(feature, RowTransform):
        return [
            (name, _transform(column, feature.kind))
            for name, column in zip(feature.names(), feature.columns, strict=True)
        ]
    if isinstance(feature, Categorical):
        return [(name, _text(name)) for name in feature.names()]
    return []


def _transform(column: str, kind: str) -> Callable[[Row], float]:
    def transform(row: Row) -> float:
        value = row[column]
        if value is None:
            return NAN
        number = float(value)  # type: ignore[arg-type]
        match kind:
            case "log1p":
                # math.log1p may differ from numpy's in the last digit.
                number = float(np.log1p(number)) if number > -1 else NAN
            case "sqrt":
                number = math.sqrt(number) if number >= 0 else NAN
            case "square":
                number = number * number
        return number if math.isfinite(number) else NAN

    return transform


def _text(column: str) -> Callable[[Row], str | None]:
    return lambda row: None if (value := row[column]) is None else str(value)


def _calendar_part(local: datetime, part: str, night: tuple[int, int]) -> float:
    match part:
        case "hour":
            return float(local.hour)
        case "month":
            return float(local.month)
        case "weekday":
            return float(local.weekday())
        case "weekend":
            return float(local.weekday() >= 5)
        case _:
            first, last = night
            after, before = local.hour >= first, local.hour <= last
            return float(after and before if first <= last else after or before)
