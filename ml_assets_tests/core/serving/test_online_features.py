"""Online features equal those of the batch from the same data, to the last bit."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.features.point_in_time import build_features
from ml_assets.core.features.serving_skew import build_features_at
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.serving.online_features import OnlineFeatures, RowTooOld, days_in_memory
from ml_assets_tests.core.features.feature_cases import frame, records, spec_with
from ml_assets_tests.core.features.test_window_aggregates_properties import EVERY, ROWS, SPEC

pytestmark = pytest.mark.clock

TODAY = date(2025, 1, 10)
OWN = [
    {"kind": "column", "columns": ["amount", "online"]},
    {"kind": "log1p", "columns": ["amount"]},
    {"kind": "sqrt", "columns": ["amount"]},
    {"kind": "square", "columns": ["amount"]},
    {"kind": "categorical", "columns": ["shop"]},
    {"kind": "calendar", "parts": ["hour", "weekday", "month", "weekend", "night"], "night_hours": [22, 5]},
]
IN_BRUSSELS = spec_with(
    *OWN,
    {
        "kind": "window",
        "key": "online",
        "value": "amount",
        "aggregates": EVERY,
        "windows": ["1d"],
        "last_rows": [2, 4],
        "within": "2d",
    },
    {
        "kind": "window",
        "key": ["shop", "card", "online"],
        "value": "online",
        "aggregates": ["count", "sum", "mean"],
        "windows": ["2d"],
    },
    {"kind": "window", "key": "amount", "aggregates": ["count"], "windows": ["2d"], "delay": "6h"},
    {"kind": "window", "key": "time", "aggregates": ["count"], "windows": ["2d"]},
    time_zone="Europe/Brussels",
)
CATEGORIES = spec_with({"kind": "categorical", "columns": ["card", "online"]})


def held(spec: ModelSpec, history: pd.DataFrame, through: date = TODAY - timedelta(days=1)) -> OnlineFeatures:
    return OnlineFeatures(spec, history, through)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it comes to the service: plain values, without the label."""
    return {
        name: value.to_pydatetime()
        if isinstance(value, pd.Timestamp)
        else value.item()
        if isinstance(value, np.generic)
        else value
        for name, value in row.items()
        if name != "label"
    }


def assert_same(spec: ModelSpec, table: pd.DataFrame) -> None:
    """Each row of the day, with the rows of the day before it, as the daily table has it and as it is built at its
    moment.
    """
    begin = pd.Timestamp(TODAY, tz=spec.source.time_zone)
    today, history = table[table["time"] >= begin], table[table["time"] < begin]
    online, every = held(spec, history), [plain(row) for row in records(today)]
    committed = build_features(spec, today, history).set_index("id")
    for row in every:
        built = online.compute(row, [other for other in every if other is not row])
        at_the_moment = build_features_at(spec, today, history, pd.Timestamp(row["time"])).set_index("id")
        for expected in (committed, at_the_moment):
            of_row = expected.loc[row["id"]]
            for name in spec.feature_names():
                value, batch_value = built[name], of_row[name]
                assert value == batch_value or (pd.isna(value) and pd.isna(batch_value)), (name, value, batch_value)


@given(ROWS)
def test_every_window_feature_is_bit_by_bit_that_of_the_batch(table: pd.DataFrame):
    assert_same(SPEC, table)


@given(ROWS, st.lists(st.booleans() | st.none(), min_size=25, max_size=25))
def test_the_same_in_another_time_zone_with_keys_of_every_type(table: pd.DataFrame, online: list):
    assert_same(
        IN_BRUSSELS,
        table[table["time"] < "2025-01-10 23:00"].assign(
            online=pd.array(online[: len(table)], dtype="boolean")[: len(table)]
        ),
    )


def test_categories_are_text_as_in_the_batch():
    rows = frame(
        {"time": "2025-01-10 01:00", "card": 3, "online": True},
        {"time": "2025-01-10 02:00", "card": None, "online": None},
    )
    assert_same(CATEGORIES, rows)
    assert held(CATEGORIES, rows.iloc[:0]).compute(plain(records(rows)[0]), []) == {"card": "3", "online": "True"}


def custom_day(rows: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {"so_far": rows["amount"].fillna(0).cumsum(), "before": float(len(history)) + float(history["label"].sum())},
        index=rows.index,
    )


CUSTOM = {"kind": "custom", "function": f"{__name__}:custom_day", "outputs": ["so_far", "before"], "reads": "3d"}


def test_custom_functions_get_the_same_frames_as_in_the_batch():
    spec = spec_with(CUSTOM, {"kind": "column", "columns": ["amount"]})
    days = [f"2025-01-{number:02} {hour}:00" for number in (7, 8, 9, 10) for hour in (10, 11, 12)]
    assert_same(spec, frame(*[{"time": time, "amount": float(number)} for number, time in enumerate(days)]))
    assert held(spec, frame({"time": "2025-01-07 10:00"})).is_slow


def test_a_late_row_uses_the_days_before_its_own_and_the_rows_that_it_brings():
    spec = spec_with({"kind": "window", "key": "card", "aggregates": ["count"], "windows": ["5d"]})
    history = frame({"time": "2025-01-08 10:00"}, {"time": "2025-01-09 10:00"}, {"time": "2025-01-09 11:00"})
    online = held(spec, history)
    row = {
        "id": 9,
        "time": datetime(2025, 1, 9, 12, tzinfo=UTC),
        "card": 1,
        "shop": None,
        "amount": None,
        "online": None,
    }
    assert online.compute(row, [])["count_by_card_5d"] == 2.0
    assert online.compute(row, [{**row, "id": 8, "time": row["time"] - timedelta(hours=1)}])["count_by_card_5d"] == 3.0
    with pytest.raises(RowTooOld, match=r"2025-01-08.*2025-01-09"):
        online.compute({**row, "time": datetime(2025, 1, 8, 23, tzinfo=UTC)}, [])


def test_rows_of_days_in_memory_and_later_rows_have_no_effect():
    spec = spec_with({"kind": "window", "aggregates": ["count"], "windows": ["5d"]})
    online = held(spec, frame({"time": "2025-01-09 10:00"}))
    row = {
        "id": 9,
        "time": datetime(2025, 1, 10, 12, tzinfo=UTC),
        "card": 1,
        "shop": None,
        "amount": None,
        "online": None,
    }
    carried = [
        {**row, "id": number, "time": row["time"] + timedelta(hours=hours)}
        for number, hours in enumerate((-30, -13, -1, 1))
    ]
    assert online.compute(row, carried)["count_5d"] == 3.0


def test_the_days_in_memory_reach_as_far_as_the_features_of_a_late_row():
    assert days_in_memory(SPEC, date(2025, 2, 1)) == (date(2025, 2, 1), date(2025, 2, 1) - timedelta(days=4))
    assert days_in_memory(SPEC, date(2025, 1, 2)) == (date(2025, 1, 2), date(2025, 1, 1))
