"""Features built at one moment equal those built for the whole day, unless a feature uses later rows."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from ml_assets.core.features.point_in_time import build_features
from ml_assets.core.features.serving_skew import build_features_at, compare_features, sample_moments, visible_rows
from ml_assets_tests.core.features.feature_cases import frame, spec_with

HERE = "ml_assets_tests.core.features.test_serving_skew"
RANDOM = np.random.default_rng(3)


def rows_on(day: int, count: int) -> pd.DataFrame:
    minutes = RANDOM.integers(0, 1440, count)
    return frame(
        *[
            {
                "id": day * 1000 + number,
                "time": f"2025-01-{day:02} {minute // 60:02}:{minute % 60:02}",
                "card": int(RANDOM.integers(0, 5)),
                "shop": str(RANDOM.choice(["a", "b"])),
                "amount": None if number % 7 == 0 else float(RANDOM.gamma(2, 20)),
                "label": int(RANDOM.integers(0, 2)),
            }
            for number, minute in enumerate(minutes)
        ]
    )


ROWS, HISTORY = rows_on(10, 80), pd.concat([rows_on(day, 60) for day in range(4, 10)], ignore_index=True)
FEATURES = [
    {"kind": "log1p", "columns": ["amount"]},
    {"kind": "categorical", "columns": ["shop"]},
    {"kind": "calendar", "parts": ["hour"]},
    {
        "kind": "window",
        "key": "card",
        "value": "amount",
        "aggregates": ["count", "mean", "zscore", "max"],
        "windows": ["1d", "3d"],
    },
    {"kind": "window", "key": "card", "value": "amount", "aggregates": ["sum"], "last_rows": [4], "within": "2d"},
    {"kind": "window", "key": "shop", "value": "label", "aggregates": ["mean"], "windows": ["2d"], "delay": "2d"},
]


def use_earlier_rows(rows: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"x": rows["amount"].fillna(0).cumsum(), "y": history["label"].mean()})


def use_later_rows(rows: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"x": rows["amount"] - rows["amount"].mean(), "y": 1.0}, index=rows.index)


def find_differences(*features) -> list:
    spec = spec_with(*features)
    committed = build_features(spec, ROWS, HISTORY)
    return [
        difference
        for moment in sample_moments(committed["time"])
        for difference in compare_features(
            spec,
            committed[committed["time"] == moment].reset_index(drop=True),
            build_features_at(spec, ROWS, HISTORY, moment),
        )
    ]


def custom(name: str) -> dict:
    return {"kind": "custom", "function": f"{HERE}:{name}", "outputs": ["x", "y"], "reads": "3d"}


def test_features_of_all_kinds_are_equal():
    assert find_differences(*FEATURES) == []
    assert find_differences(custom("use_earlier_rows")) == []


def test_a_function_that_uses_later_rows_of_the_day_is_detected():
    differences = find_differences(*FEATURES, custom("use_later_rows"))
    assert {difference["feature"] for difference in differences} == {"x"}
    assert set(differences[0]) == {"id", "moment", "feature", "committed", "when_scored"}
    assert {type(value) for value in differences[0].values()} == {int, str, float}


def test_the_features_of_a_moment_are_those_of_only_its_rows():
    moment = ROWS["time"].iloc[5]
    features = build_features_at(spec_with(*FEATURES), ROWS, HISTORY, moment)
    assert (features["time"] == moment).all()
    assert len(features) == (ROWS["time"] == moment).sum()


def test_labels_that_are_not_known_at_the_moment_are_not_used():
    known = HISTORY.assign(label=HISTORY["label"].where(HISTORY["time"] <= pd.Timestamp("2025-01-08 12:00", tz="UTC")))
    spec, moment = spec_with(*FEATURES), sample_moments(ROWS["time"])[1]
    assert moment < pd.Timestamp("2025-01-10 12:00", tz="UTC")
    assert (
        compare_features(
            spec,
            build_features_at(spec, ROWS.assign(label=1), HISTORY, moment),
            build_features_at(spec, ROWS.assign(label=0), known, moment),
        )
        == []
    )


def test_moments_are_spread_over_the_day_and_the_same_each_time():
    times = pd.Series(pd.date_range("2025-01-10", periods=101, freq="min", tz="UTC"))
    assert [str(moment.time()) for moment in sample_moments(times.sample(frac=1))] == [
        "00:00:00",
        "00:25:00",
        "00:50:00",
        "01:15:00",
        "01:40:00",
    ]
    assert len(sample_moments(times.iloc[:2])) == 2
    assert sample_moments(times.iloc[:0]) == []


@pytest.mark.parametrize("change", [{"x": [1.0, 2.5]}, {"x": [np.nan, np.nan]}, {"shop": ["a", "b"]}])
def test_every_difference_counts_and_missing_values_are_equal(change):
    spec = spec_with(custom("use_later_rows"), {"kind": "categorical", "columns": ["shop"]})
    committed = pd.DataFrame(
        {"id": [1, 2], "time": ROWS["time"].iloc[:2], "x": [1.0, np.nan], "y": [np.inf, 0.1 + 0.2], "shop": ["a", None]}
    )
    assert compare_features(spec, committed, committed.assign(y=[np.inf, 0.3])) == []
    assert len(compare_features(spec, committed, committed.assign(**change))) == 1
    assert compare_features(spec, committed, committed.iloc[:1])[0]["feature"] == "rows"


def test_the_rows_that_a_moment_can_see_are_enough_to_build_its_features():
    rows, history = (table.assign(card=table["card"] + table["id"] % 40 * 10) for table in (ROWS, HISTORY))
    rows.loc[rows["id"] % 9 == 0, "card"] = pd.NA
    spec = spec_with(*(feature for feature in FEATURES if feature.get("key") != "shop"))
    moments = sample_moments(rows["time"])
    keys = rows[rows["time"].isin(moments)]
    few, earlier = (visible_rows(spec, table, moments, keys) for table in (rows, history))
    assert len(keys) <= len(few) < len(rows)
    assert len(earlier) < len(history) / 2
    for moment in moments:
        assert_frame_equal(
            build_features_at(spec, few, earlier, moment), build_features_at(spec, rows, history, moment)
        )


@pytest.mark.parametrize(
    "feature",
    [
        {"kind": "window", "key": [], "value": "amount", "aggregates": ["mean"], "windows": ["1d"]},
        {"kind": "custom", "function": f"{HERE}:use_earlier_rows", "outputs": ["x", "y"], "reads": "1d"},
    ],
)
def test_a_window_without_a_key_and_a_custom_function_see_all_rows(feature):
    assert visible_rows(spec_with(*FEATURES, feature), ROWS, sample_moments(ROWS["time"]), ROWS.iloc[:1]) is ROWS
