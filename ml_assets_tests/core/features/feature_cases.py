"""Shared helpers of the feature tests: a small spec, small frames, and a slow reference in plain Python."""

import math
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import WindowAggregate

DTYPES = {"id": "int64", "card": "Int64", "shop": "object", "amount": "float64", "online": "boolean", "label": "Int64"}


def spec_with(*features: dict[str, Any], time_zone: str = "UTC", **changes: Any) -> ModelSpec:
    """A model of card payments with the given features."""
    fields: dict[str, Any] = {
        "name": "cards",
        "source": {"files": "{day}.csv", "start": "2025-01-01", "time_zone": time_zone},
        "columns": {
            "id": {"type": "integer"},
            "time": {"type": "timestamp"},
            "card": {"type": "integer", "nullable": True},
            "shop": {"type": "string", "nullable": True},
            "amount": {"type": "number", "nullable": True},
            "online": {"type": "boolean", "nullable": True},
            "label": {"type": "integer", "allowed": [0, 1], "nullable": True},
        },
        "row_key": ["id"],
        "event_time": "time",
        "target": "label",
        "label_delay": "2d",
        "features": list(features),
        "training": {"window": "21d"},
        "gates": {"roc_auc": {"minimum": 0.5}},
    }
    return ModelSpec.model_validate(fields | changes)


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    """Build rows from dicts, with `time` as text in UTC or datetime; other columns have defaults."""
    full = [
        {"id": number, "card": 1, "shop": None, "amount": None, "online": None, "label": 0} | row
        for number, row in enumerate(rows)
    ]
    table = pd.DataFrame(full, columns=["id", "time", "card", "shop", "amount", "online", "label"]).astype(DTYPES)
    return table.assign(time=pd.to_datetime(table["time"], utc=True).dt.as_unit("us"))


def windows_by_hand(feature: WindowAggregate, all_rows: list[dict[str, Any]], row: dict[str, Any]) -> dict[str, float]:
    """Compute all columns of one window feature for one row, by a scan of all rows."""
    return {
        feature.name(aggregate, suffix): _aggregate(
            aggregate, feature, _visible_values(feature, all_rows, row, length, most), row
        )
        for suffix, length, most in feature.spans()
        for aggregate in feature.aggregates
    }


def _visible_values(
    feature: WindowAggregate, all_rows: list[dict[str, Any]], row: dict[str, Any], length: timedelta, most: int | None
) -> list[Any] | None:
    if any(row[name] is None for name in feature.key):
        return None
    end = row["time"] - feature.delay
    visible = [
        r for r in all_rows if end - length < r["time"] <= end and all(r[name] == row[name] for name in feature.key)
    ]
    visible.sort(key=lambda r: (r["time"], r["id"]))
    visible = visible if most is None else visible[-most:]
    return [r[feature.value] if feature.value else None for r in visible]


def _aggregate(aggregate: str, feature: WindowAggregate, visible: list[Any] | None, row: dict[str, Any]) -> float:
    if visible is None:
        return math.nan
    if aggregate == "count":
        return len(visible)
    values = [value for value in visible if value is not None]
    if aggregate == "sum":
        return math.fsum(values)
    if not values:
        return math.nan
    own = math.nan if row[feature.value or ""] is None else row[feature.value or ""]
    mean = math.fsum(values) / len(values)
    varied = len(values) > 1 and len(set(values)) > 1
    std = (
        math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
        if varied
        else (0.0 if len(values) > 1 else math.nan)
    )
    match aggregate:
        case "mean":
            return mean
        case "std":
            return std
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "difference":
            return own - mean
        case "ratio":
            return own / mean if mean else math.nan
        case _:
            return (own - mean) / std if std else math.nan


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dicts of Python values, None where missing."""
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in table.to_dict("records")
    ]


def local_day(moment: datetime, time_zone: str) -> datetime:
    """The day of a moment, as the datetime of its midnight without a zone."""
    return datetime.combine(moment.astimezone(ZoneInfo(time_zone)).date(), datetime.min.time())
