"""Features of a row by itself: numbers, parts of the local time and categories."""

import math
from typing import Any

import numpy as np
import pytest

from ml_assets.core.features.point_in_time import build_features
from ml_assets_tests.core.features.feature_cases import frame, spec_with

pytestmark = pytest.mark.clock

NO_ROWS = frame()


def calendar(*parts: str, **more: Any) -> dict[str, Any]:
    return {"kind": "calendar", "parts": list(parts), **more}


def column(feature: dict[str, Any], values: list[Any], name: str = "amount") -> list[Any]:
    rows = frame(*[{"time": "2025-01-10 10:00", name: value} for value in values])
    return build_features(spec_with(feature), rows, NO_ROWS).iloc[:, 3].tolist()


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("column", [2.5, -1.0, None, math.inf], [2.5, -1.0, math.nan, math.nan]),
        ("log1p", [math.e - 1, 0.0, -0.5, -1.0, -2.0, None], [1.0, 0.0, math.log(0.5), math.nan, math.nan, math.nan]),
        ("sqrt", [6.25, 0.0, -1.0, None], [2.5, 0.0, math.nan, math.nan]),
        ("square", [3.0, -2.0, None, 1e200], [9.0, 4.0, math.nan, math.nan]),
    ],
)
def test_row_transforms_are_missing_outside_their_domain_and_never_infinite(
    kind: str, values: list[float], expected: list[float]
):
    assert column({"kind": kind, "columns": ["amount"]}, values) == pytest.approx(expected, nan_ok=True)


def test_booleans_and_integers_become_numbers():
    features = column({"kind": "column", "columns": ["online"]}, [True, False, None], "online")
    assert features[:2] == [1.0, 0.0]
    assert math.isnan(features[2])
    assert column({"kind": "square", "columns": ["card"]}, [3], "card") == [9.0]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("shop", ["grocery", None, ""], ["grocery", None, ""]),
        ("card", [7, None, -1], ["7", None, "-1"]),
        ("online", [True, False, None], ["True", "False", None]),
    ],
)
def test_categories_are_text_and_none_where_missing(name: str, values: list[Any], expected: list[Any]):
    assert column({"kind": "categorical", "columns": [name]}, values, name) == expected


def test_integer_categories_that_pandas_holds_as_floats_keep_their_text():
    rows = frame({"time": "2025-01-10 10:00", "card": 7}).astype({"card": "float64"})
    assert build_features(spec_with({"kind": "categorical", "columns": ["card"]}), rows, NO_ROWS)["card"].tolist() == [
        "7"
    ]


def test_calendar_parts_are_those_of_the_time_zone_of_the_source():
    # 2025-01-10 was a Friday; 23:30 UTC is Saturday, half past midnight, in Brussels, and Saturday morning in Tokyo.
    rows, parts = frame({"time": "2025-01-10 23:30"}), calendar("hour", "weekday", "month", "weekend", "night")

    def features(time_zone: str) -> list[float]:
        return build_features(spec_with(parts, time_zone=time_zone), rows, NO_ROWS).iloc[0, 3:].tolist()

    assert features("UTC") == [23.0, 4.0, 1.0, 0.0, 0.0]
    assert features("Europe/Brussels") == [0.0, 5.0, 1.0, 1.0, 1.0]
    assert features("Asia/Tokyo") == [8.0, 5.0, 1.0, 1.0, 0.0]


def test_hours_where_the_clocks_change():
    rows = frame(*[{"time": f"2025-03-30 0{hour}:59"} for hour in (0, 1)])
    assert build_features(spec_with(calendar("hour"), time_zone="Europe/Brussels"), rows, NO_ROWS)[
        "event_time_hour"
    ].tolist() == [1.0, 3.0]
    rows = frame(*[{"time": f"2025-10-26 0{hour}:30"} for hour in (0, 1, 2)])
    assert build_features(spec_with(calendar("hour"), time_zone="Europe/Brussels"), rows, NO_ROWS)[
        "event_time_hour"
    ].tolist() == [2.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("night", "hours"), [([0, 6], {0, 1, 2, 3, 4, 5, 6}), ([22, 5], {22, 23, 0, 1, 2, 3, 4, 5}), ([3, 3], {3})]
)
def test_the_night_includes_its_first_and_last_hour_and_may_cross_midnight(night: list[int], hours: set[int]):
    rows = frame(*[{"time": f"2025-01-10 {hour:02}:59"} for hour in range(24)])
    features = build_features(spec_with(calendar("night", night_hours=night)), rows, NO_ROWS)["event_time_night"]
    assert set(np.flatnonzero(features)) == hours
