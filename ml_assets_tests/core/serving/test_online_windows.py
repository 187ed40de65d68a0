"""Windows of one row over rows in memory and rows that come with it."""

import math
from datetime import UTC, datetime, timedelta

import pandas as pd

from ml_assets.core.features.key_index import microseconds
from ml_assets.core.model_spec.features import WindowAggregate
from ml_assets.core.serving.online_windows import RowsOfKeys, as_number
from ml_assets_tests.core.features.feature_cases import frame

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
NOW = int(microseconds(pd.Series([pd.Timestamp(NOON)]))[0])
HOUR = 3_600_000_000
HISTORY = frame(
    {"time": NOON - timedelta(days=2), "card": 1, "amount": 10.0, "shop": "a"},
    {"time": NOON - timedelta(days=1), "card": 1, "amount": 20.0, "shop": "b"},
    {"time": NOON - timedelta(hours=13), "card": 2, "amount": 5.0, "shop": "a"},
)
ROW = {"id": 9, "time": NOON, "card": 1, "amount": 60.0, "shop": "a"}


def features(row=ROW, further=None, begin=None, **changes) -> dict[str, float]:
    feature = WindowAggregate.model_validate({"kind": "window", "aggregates": ["count"], "windows": ["2d"], **changes})
    rows = RowsOfKeys(HISTORY, "time", feature.key, [feature])
    return rows.features(NOW, row, further or [(NOW, row)], begin)


def test_a_window_ends_with_the_row_and_begins_after_its_length():
    assert features(key="card", value="amount", aggregates=["count", "sum", "max"]) == {
        "count_by_card_2d": 2.0,
        "amount_sum_by_card_2d": 80.0,
        "amount_max_by_card_2d": 60.0,
    }


def test_further_rows_count_for_their_key_only():
    further = [(NOW - HOUR, {**ROW, "card": 2, "amount": 1.0}), (NOW - HOUR, {**ROW, "amount": 4.0}), (NOW, ROW)]
    assert features(key="card", value="amount", aggregates=["sum"], further=further) == {"amount_sum_by_card_2d": 84.0}
    assert features(further=further) == {"count_2d": 5.0}


def test_rows_in_memory_of_the_day_of_a_late_row_do_not_count():
    assert features(key="card", begin=NOW - 24 * HOUR) == {"count_by_card_2d": 1.0}


def test_the_last_rows_include_further_rows_and_rows_in_memory():
    assert features(key="card", value="amount", aggregates=["min"], windows=[], last_rows=[1, 2], within="9d") == {
        "amount_min_by_card_last_1": 60.0,
        "amount_min_by_card_last_2": 20.0,
    }


def test_a_row_without_a_key_has_no_window_features_and_a_new_key_has_its_own_row_alone():
    assert features(row={**ROW, "card": None}, key="card") == {}
    assert features(row={**ROW, "card": 77}, key=["card", "shop"]) == {"count_by_card_shop_2d": 1.0}


def test_values_that_windows_do_not_take_are_missing():
    assert math.isnan(as_number(None))
    assert math.isnan(as_number(1e200))
    assert as_number(True) == 1.0
