"""Features of a single row: transformed numbers, parts of the local time, and categories as text."""

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ml_assets.core.features.window_aggregates import as_floats
from ml_assets.core.model_spec.features import Calendar, RowTransform


def transformed_columns(feature: RowTransform, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the transformed columns of a feature, by name; NaN where the result is missing or not finite."""
    return {
        name: _transform(as_floats(rows[column]), feature.kind)
        for column, name in zip(feature.columns, feature.names(), strict=True)
    }


def calendar_columns(feature: Calendar, event_time: pd.Series, time_zone: str) -> dict[str, np.ndarray]:
    """Return the parts of the local time of each row, by name; `event_time` is tz-aware."""
    local = event_time.dt.tz_convert(ZoneInfo(time_zone))
    return {
        name: _calendar_part(local, part, feature.night_hours)
        for part, name in zip(feature.parts, feature.names(), strict=True)
    }


def as_text(values: pd.Series, kind: str) -> pd.Series:
    """Convert categories to text (3, True, grocery), None if missing.

    Integers and booleans with missing values, which pandas may hold as floats, keep their text.
    """
    if kind != "string":
        values = values.astype("Int64" if kind == "integer" else "boolean").astype("string")
    return values.astype(object).where(values.notna(), None)


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
