"""Window features of random rows equal a slow reference, whatever the order of rows and the rows outside windows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from ml_assets.core.features.point_in_time import build_features
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import WindowAggregate
from ml_assets_tests.core.features.feature_cases import frame, records, spec_with, windows_by_hand

DAY = datetime(2025, 1, 10, tzinfo=UTC)
EVERY = ["count", "sum", "mean", "std", "min", "max", "difference", "ratio", "zscore"]
FEATURES: list[dict[str, Any]] = [
    {"kind": "window", "key": "card", "value": "amount", "aggregates": EVERY, "windows": ["6h", "1d", "3d"]},
    {"kind": "window", "key": "card", "value": "amount", "aggregates": EVERY, "last_rows": [1, 3], "within": "3d"},
    {
        "kind": "window",
        "key": ["card", "shop"],
        "value": "amount",
        "aggregates": ["min", "max"],
        "windows": ["2d"],
        "last_rows": [2],
        "within": "12h",
    },
    {"kind": "window", "key": "shop", "value": "amount", "aggregates": EVERY, "windows": ["1d"], "delay": "12h"},
    {
        "kind": "window",
        "key": "shop",
        "value": "label",
        "aggregates": ["count", "mean"],
        "windows": ["1d", "2d"],
        "delay": "2d",
    },
    {"kind": "window", "key": [], "value": "amount", "aggregates": EVERY, "windows": ["12h"]},
]
SPEC = spec_with(*FEATURES)
# Few distinct times, many of them exactly a window or a delay apart.
TIMES = st.builds(
    lambda quarters, minutes: DAY + timedelta(hours=6 * quarters, minutes=minutes),
    st.integers(-18, 3),
    st.sampled_from([0, 0, 1]),
)
AMOUNTS = (
    st.none()
    | st.sampled_from([0.0, 0.1, 0.1, 2.35, 99.99, -7.5])
    | st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-3)
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "time": TIMES,
            "card": st.sampled_from([1, 1, 2, 5_000_000, None]),
            "shop": st.sampled_from(["a", "b", None]),
            "amount": AMOUNTS,
            "label": st.sampled_from([0, 1, None]),
        }
    ),
    max_size=25,
).map(lambda rows: frame(*[{"id": 100 - n} | row for n, row in enumerate(rows)]))


def build(table: pd.DataFrame) -> pd.DataFrame:
    today = table["time"] >= DAY
    return build_features(SPEC, table[today], table[~today])


@given(ROWS)
def test_every_window_feature_is_what_the_slow_reference_says(table: pd.DataFrame):
    made, every = build(table), records(table)
    of_the_day = sorted([row for row in every if row["time"] >= DAY], key=lambda row: (row["time"], row["id"]))
    assert made["id"].tolist() == [row["id"] for row in of_the_day]
    for position, row in enumerate(of_the_day):
        for feature in SPEC.features:
            assert isinstance(feature, WindowAggregate)
            for name, expected in windows_by_hand(feature, every, row).items():
                # A difference, and a spread, of values up to 1e6 carry their last place.
                loose = any(part in name for part in ("difference", "zscore", "std", "sum", "mean", "ratio"))
                assert made[name].iloc[position] == pytest.approx(
                    expected, rel=1e-9 if loose else 0, abs=1e-9 if loose else 0, nan_ok=True
                ), name


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(table: pd.DataFrame, random: Any):
    shuffled = table.iloc[random.sample(range(len(table)), len(table))]
    assert_frame_equal(build(shuffled), build(table), check_exact=True)


@given(ROWS, ROWS)
def test_rows_later_than_a_row_change_not_a_bit_of_it(table: pd.DataFrame, other: pd.DataFrame):
    for now in [DAY + timedelta(hours=6), DAY + timedelta(hours=12, minutes=1)]:
        later = other[other["time"] > now].assign(id=lambda rows: rows["id"] + 1000)
        changed = build(pd.concat([table[table["time"] <= now], later]))
        assert_frame_equal(changed[changed["time"] <= now], build(table[table["time"] <= now]), check_exact=True)


@given(ROWS)
def test_labels_that_are_not_known_yet_change_nothing(table: pd.DataFrame):
    young = table["time"] > DAY + timedelta(days=1) - SPEC.label_delay
    opposite = table.assign(label=table["label"].where(~young, 1 - table["label"].fillna(1)))
    assert_frame_equal(build(opposite).drop(columns="label"), build(table).drop(columns="label"), check_exact=True)


@given(ROWS, ROWS)
def test_earlier_rows_beyond_every_window_change_nothing(table: pd.DataFrame, other: pd.DataFrame):
    old = other.assign(id=other["id"] + 1000, time=other["time"] - timedelta(days=10))
    assert_frame_equal(build(pd.concat([old, table])), build(table), check_exact=True)


@given(ROWS, ROWS)
def test_rows_of_other_keys_have_no_influence(table: pd.DataFrame, other: pd.DataFrame):
    keyed = [name for name in SPEC.feature_names() if "_by_" in name]
    strangers = other.assign(
        id=other["id"] + 1000, card=other["card"] + 10, shop=other["shop"].map(lambda shop: shop and shop * 2)
    )
    both = build(pd.concat([table, strangers]))
    assert_frame_equal(both[both["id"] < 1000].reset_index(drop=True)[keyed], build(table)[keyed], check_exact=True)


@given(ROWS)
def test_the_size_of_groups_of_keys_changes_nothing(table: pd.DataFrame):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ml_assets.core.features.key_index.GROUP_ROWS", 3)
        patch.setattr("ml_assets.core.features.exact_sums.BLOCK", 2)
        in_groups = build(table)
    assert_frame_equal(in_groups, build(table), check_exact=True)


@given(ROWS)
def test_days_built_together_are_the_days_built_one_by_one(table: pd.DataFrame):
    days = [DAY - timedelta(days=back) for back in range(2, -1, -1)]
    assert_frame_equal(
        build_features(SPEC, table[table["time"] >= days[0]], table[table["time"] < days[0]]),
        pd.concat([_build_day(SPEC, table, day) for day in days], ignore_index=True),
        check_exact=True,
    )


@given(ROWS)
def test_days_built_together_each_see_the_labels_of_their_own_day(table: pd.DataFrame):
    spec = spec_with(*FEATURES, labels={"files": "labels/{day}.csv", "key": ["id"]})
    rows = table.sort_values(["time", "id"], ignore_index=True).drop(columns="label")
    days = [DAY - timedelta(days=back) for back in range(2, -1, -1)]

    def labels_as_of(day: date) -> pd.Series:
        begins = pd.Timestamp(day, tz="UTC")
        known = (rows["time"] < begins) & (rows["id"] % 3 != begins.day % 3)
        return (rows["id"] % 2).astype("Int64").where(known)

    together = build_features(spec, rows[rows["time"] >= days[0]], rows[rows["time"] < days[0]], labels=labels_as_of)
    one_by_one = [_build_day(spec, rows.assign(label=labels_as_of(day.date())), day) for day in days]
    assert_frame_equal(
        together[spec.feature_names()], pd.concat(one_by_one, ignore_index=True)[spec.feature_names()], check_exact=True
    )


def _build_day(spec: ModelSpec, table: pd.DataFrame, day: datetime) -> pd.DataFrame:
    is_of_day = (table["time"] >= day) & (table["time"] < day + timedelta(days=1))
    return build_features(spec, table[is_of_day], table[table["time"] < day])
