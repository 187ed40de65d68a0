from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from ml_assets.core.features.inputs import columns_read
from ml_assets.core.features.point_in_time import build_features, feature_frame_order
from ml_assets_tests.core.features.feature_cases import frame, spec_with

pytestmark = pytest.mark.clock

NO_ROWS = frame()
AMOUNT = {"kind": "column", "columns": ["amount"]}
CUSTOM = {"kind": "custom", "function": "math:sin", "outputs": ["x"]}


def calendar(*parts: str, **more: Any) -> dict[str, Any]:
    return {"kind": "calendar", "parts": list(parts), **more}


def test_rows_come_out_in_order_of_time_and_row_key_with_identity_columns_first():
    rows = frame(
        {"id": 3, "time": "2025-01-10 11:00"},
        {"id": 2, "time": "2025-01-10 10:00"},
        {"id": 1, "time": "2025-01-10 11:00"},
    )
    spec = spec_with(
        calendar("hour"),
        {"kind": "categorical", "columns": ["shop"]},
        {"kind": "square", "columns": ["amount"]},
        entity="card",
    )
    features = build_features(spec, rows.set_index(pd.Index([5, 5, 7])), NO_ROWS)
    assert features["id"].tolist() == [2, 1, 3]
    assert (
        list(features)
        == feature_frame_order(spec)
        == ["id", "time", "card", "label", "event_time_hour", "shop", "amount_square"]
    )
    assert isinstance(features.index, pd.RangeIndex)


def test_identity_columns_keep_their_type_also_where_they_are_features():
    features = [{"kind": "categorical", "columns": ["card"]}, {"kind": "column", "columns": ["online"]}, AMOUNT]
    features = build_features(
        spec_with(*features, entity="card", evaluation={"slices": ["online"]}),
        frame({"time": "2025-01-10 11:00"}),
        NO_ROWS,
    )
    assert [str(dtype) for dtype in features.dtypes] == [
        "int64",
        "datetime64[us, UTC]",
        "Int64",
        "Int64",
        "boolean",
        "float64",
    ]


def test_a_day_without_rows_has_the_same_columns_and_types():
    window = {"kind": "window", "key": "card", "aggregates": ["count"], "windows": ["1d"]}
    spec = spec_with(AMOUNT, calendar("hour"), {"kind": "categorical", "columns": ["shop", "online"]}, window, CUSTOM)
    some = build_features(
        spec_with(*[f.model_dump() for f in spec.features[:-1]]), frame({"time": "2025-01-10 11:00"}), NO_ROWS
    )
    features = build_features(spec, NO_ROWS, frame({"time": "2025-01-09 11:00"}))
    assert len(features) == 0
    assert features["x"].dtype == np.float64
    assert_frame_equal(features.drop(columns="x"), some.iloc[:0], check_index_type=False)


def test_the_columns_read_are_those_of_identity_and_features_and_all_where_a_custom_function_reads():
    window = {"kind": "window", "key": "card", "value": "amount", "aggregates": ["mean"], "windows": ["1d"]}
    assert columns_read(spec_with(calendar("hour"))) == ["id", "time", "label"]
    assert columns_read(spec_with(window)) == ["id", "time", "card", "amount", "label"]
    assert columns_read(spec_with(CUSTOM)) == ["id", "time", "card", "shop", "amount", "online", "label"]


def test_the_columns_read_are_sufficient():
    spec = spec_with(
        {"kind": "window", "key": "card", "value": "amount", "aggregates": ["mean"], "last_rows": [2], "within": "1d"},
        calendar("hour"),
    )
    rows, history = (
        frame({"time": "2025-01-10 11:00", "amount": 3.0}),
        frame({"id": 5, "time": "2025-01-10 00:00", "amount": 1.0}),
    )
    history["time"] -= pd.Timedelta(hours=1)
    few = build_features(spec, rows[columns_read(spec)], history[columns_read(spec)])
    assert_frame_equal(few, build_features(spec, rows, history))
    assert few["amount_mean_by_card_last_2"].tolist() == [2.0]


def test_the_input_frames_are_not_modified():
    rows, history = (
        frame({"id": 2, "time": "2025-01-10 11:00"}, {"id": 1, "time": "2025-01-10 10:00"}),
        frame({"time": "2025-01-09 11:00"}),
    )
    before = rows.copy(), history.copy()
    build_features(
        spec_with({"kind": "window", "key": "card", "aggregates": ["count"], "windows": ["2d"]}, AMOUNT), rows, history
    )
    assert_frame_equal(rows, before[0])
    assert_frame_equal(history, before[1])


@pytest.mark.parametrize(("argument", "lacking"), [("rows", "id, card, amount"), ("history", "card, amount")])
def test_a_frame_that_lacks_a_column_is_refused(argument: str, lacking: str):
    frames = {"rows": frame({"time": "2025-01-10 11:00"}), "history": frame({"time": "2025-01-09 11:00"})}
    frames[argument] = frames[argument].drop(columns=["amount", "id", "card"])
    window = {"kind": "window", "key": "card", "value": "amount", "aggregates": ["mean"], "windows": ["1d"]}
    with pytest.raises(ValueError, match=f"cards: {argument} lacks {lacking}; read the columns of columns_read"):
        build_features(spec_with(window), **frames)


@pytest.mark.parametrize("argument", ["rows", "history"])
def test_times_without_a_zone_are_refused(argument: str):
    frames = {"rows": frame({"time": "2025-01-10 11:00"}), "history": frame({"time": "2025-01-09 11:00"})}
    frames[argument]["time"] = frames[argument]["time"].dt.tz_localize(None)
    with pytest.raises(ValueError, match=f"time of {argument} is datetime64.us.; times need a time zone"):
        build_features(spec_with(AMOUNT), **frames)


@pytest.mark.parametrize(
    ("time_zone", "begins"), [("UTC", "2025-01-10 00:00"), ("America/New_York", "2025-01-10 05:00")]
)
def test_a_history_that_reaches_into_the_day_is_refused(time_zone: str, begins: str):
    spec, rows = spec_with(AMOUNT, time_zone=time_zone), frame({"time": "2025-01-10 11:00"})
    before = frame({"time": pd.Timestamp(begins, tz="UTC") - pd.Timedelta(microseconds=1)})
    assert len(build_features(spec, rows, before)) == 1
    with pytest.raises(ValueError, match=r"history holds a row at 2025-01-10.*pass rows before that moment as history"):
        build_features(spec, rows, frame({"time": begins}))
