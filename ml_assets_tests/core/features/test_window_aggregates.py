import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.features.point_in_time import build_features
from ml_assets_tests.core.features.feature_cases import frame, spec_with

NAN = float("nan")
NO_ROWS = frame()


def window(**fields: Any) -> dict[str, Any]:
    return {"kind": "window", "windows": [], **fields}


def column(feature: dict[str, Any], rows: pd.DataFrame, history: pd.DataFrame = NO_ROWS) -> list[float]:
    """The only feature column, in order of the row numbers of `rows`."""
    features = build_features(spec_with(feature), rows, history).set_index("id").loc[rows["id"]]
    return features.drop(columns=["time", "label"]).squeeze(axis=1).tolist()


def same(left: list[float], right: list[float]) -> bool:
    return np.array_equal(left, right, equal_nan=True)


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("count", [2, 3, 1]),
        ("sum", [5.0, 12.0, 0.5]),
        ("mean", [2.5, 4.0, 0.5]),
        ("std", [math.sqrt(0.5), math.sqrt(7.0), NAN]),
        ("min", [2.0, 2.0, 0.5]),
        ("max", [3.0, 7.0, 0.5]),
        ("difference", [0.5, 3.0, 0.0]),
        ("ratio", [1.2, 1.75, 1.0]),
        ("zscore", [math.sqrt(0.5), 3 / math.sqrt(7.0), NAN]),
    ],
)
def test_aggregates_of_two_rows_three_rows_and_one(aggregate: str, expected: list[float]):
    history = frame({"id": 9, "time": "2025-01-09 12:00", "amount": 2.0})
    rows = frame(
        {"time": "2025-01-10 08:00", "amount": 3.0},
        {"time": "2025-01-10 09:00", "amount": 7.0},
        {"time": "2025-01-10 09:00", "card": 2, "amount": 0.5},
    )
    features = column(window(key="card", value="amount", aggregates=[aggregate], windows=["1d"]), rows, history)
    assert features == pytest.approx(expected, nan_ok=True)


def test_a_window_excludes_its_beginning_and_includes_the_row_itself():
    rows = frame(*[{"time": f"2025-01-10 {at}"} for at in ("00:00:00", "00:59:59", "01:00:00", "01:00:01")])
    assert column(window(key="card", aggregates=["count"], windows=["1h"]), rows) == [1, 2, 2, 3]


def test_a_delayed_window_includes_rows_exactly_at_the_delay():
    history = frame(
        *[
            {"id": 10 + n, "time": f"2025-01-{at}"}
            for n, at in enumerate(["07 12:00:00", "07 12:00:01", "08 12:00:00", "08 12:00:01"])
        ]
    )
    assert column(
        window(key="card", aggregates=["count"], windows=["1d"], delay="2d"),
        frame({"time": "2025-01-10 12:00"}),
        history,
    ) == [2]


def test_rows_of_the_same_moment_count_for_each_other():
    rows = frame(*[{"time": "2025-01-10 10:00", "amount": amount} for amount in (1.0, 2.0, 6.0)])
    assert column(window(key="card", value="amount", aggregates=["mean"], windows=["1h"]), rows) == [3.0, 3.0, 3.0]


def test_last_rows_are_the_most_recent_up_to_the_delay_within_the_bound():
    history = frame(*[{"id": 10 + day, "time": f"2025-01-0{day} 12:00", "amount": float(day)} for day in range(3, 10)])
    row = frame({"time": "2025-01-10 12:00", "amount": 10.0})

    def last(count: int, **more: str) -> list[float]:
        return column(window(key="card", value="amount", aggregates=["sum"], last_rows=[count], **more), row, history)

    assert last(2, within="30d") == [19.0]
    assert last(5, within="3d") == [27.0]
    assert last(2, within="30d", delay="1d") == [17.0]
    assert last(2, within="30d", delay="36h") == [15.0]
    assert last(2, within="12h", delay="12h") == [0.0]


def test_last_rows_of_the_same_moment_are_ordered_by_the_row_key_whatever_the_order_of_the_file():
    rows = frame(*[{"id": number, "time": "2025-01-10 10:00", "amount": float(number)} for number in (3, 1, 4, 2)])
    feature = window(key="card", value="amount", aggregates=["sum"], last_rows=[2], within="1d")
    assert column(feature, rows) == [7.0] * 4
    assert column(feature, frame({"id": 9, "time": "2025-01-11", "amount": 0.0}), rows) == [4.0]


def test_text_row_keys_order_rows_of_the_same_moment():
    rows = frame(
        *[{"id": n, "time": "2025-01-10 10:00", "shop": shop, "amount": float(n)} for n, shop in enumerate("cab")]
    )
    columns = spec_with({"kind": "column", "columns": ["amount"]}).model_dump()["columns"] | {
        "shop": {"type": "string"}
    }
    feature = window(key="card", value="amount", aggregates=["max"], last_rows=[2], within="1d")
    assert (
        build_features(spec_with(feature, row_key=["shop"], columns=columns), rows, NO_ROWS)[
            "amount_max_by_card_last_2"
        ].tolist()
        == [2.0] * 3
    )
    assert build_features(spec_with(feature, row_key=["shop"], columns=columns), rows, NO_ROWS)["shop"].tolist() == [
        "a",
        "b",
        "c",
    ]


def test_rows_without_a_value_count_only_in_count():
    rows = frame(
        {"time": "2025-01-10 10:00", "amount": 4.0},
        {"time": "2025-01-10 11:00"},
        {"time": "2025-01-10 12:00", "amount": 8.0},
    )
    names = ["count", "sum", "mean", "std", "min", "max", "difference", "ratio"]
    features = build_features(
        spec_with(window(key="card", value="amount", aggregates=names, windows=["1d"])), rows, NO_ROWS
    )
    assert features.iloc[1, 3:].tolist() == pytest.approx([2, 4, 4, NAN, 4, 4, NAN, NAN], nan_ok=True)
    assert features.iloc[2, 3:].tolist() == pytest.approx([3, 12, 6, math.sqrt(8), 4, 8, 2, 8 / 6], nan_ok=True)


def test_an_aggregate_of_no_value_is_missing_and_count_and_sum_are_0():
    names = ["count", "sum", "mean", "std", "min", "max", "difference", "ratio", "zscore"]
    feature = window(key="card", value="amount", aggregates=names, windows=["1d"], delay="1d")
    features = build_features(spec_with(feature), frame({"time": "2025-01-10 10:00", "amount": 4.0}), NO_ROWS)
    assert same(features.iloc[0, 3:].tolist(), [0, 0] + [NAN] * 7)


def test_a_row_without_a_key_has_no_window_features_and_counts_for_no_other():
    rows = frame(
        {"time": "2025-01-10 10:00", "card": None},
        {"time": "2025-01-10 11:00", "card": None},
        {"time": "2025-01-10 12:00", "card": 1},
    )
    assert same(column(window(key="card", aggregates=["count"], windows=["1d"]), rows), [NAN, NAN, 1])
    assert same(column(window(key=["online", "card"], aggregates=["count"], windows=["1d"]), rows), [NAN, NAN, NAN])
    assert same(column(window(key=["shop"], aggregates=["count"], windows=["1d"]), rows), [NAN, NAN, NAN])


def test_a_key_of_several_columns_is_shared_only_when_all_are_equal():
    keys = [(1, "a"), (1, "b"), (2, "a"), (1, "a"), (2, None), (2, "a")]
    rows = frame(*[{"time": f"2025-01-10 1{n}:00", "card": card, "shop": shop} for n, (card, shop) in enumerate(keys)])
    assert same(column(window(key=["card", "shop"], aggregates=["count"], windows=["1d"]), rows), [1, 1, 1, 2, NAN, 2])


def test_without_a_key_the_window_covers_all_rows():
    rows = frame(*[{"time": f"2025-01-10 1{n}:00", "card": n, "amount": float(n)} for n in range(4)])
    history = frame({"id": 9, "time": "2025-01-09 11:30", "card": None, "amount": 100.0})
    assert column(window(value="amount", aggregates=["max"], windows=["1d"]), rows, history) == [100.0, 100.0, 2.0, 3.0]


def test_keys_far_apart_and_many_keys_are_told_apart():
    cards = [*range(70_000), 0, 69_999, 2**62, -(2**62), 2**62]
    rows = frame(*[{"time": "2025-01-10 10:00", "card": card} for card in cards])
    assert column(window(key="card", aggregates=["count"], windows=["1d"]), rows)[-5:] == [2, 2, 2, 1, 2]
    rows = rows.astype({"card": "int64"})
    assert column(window(key="card", aggregates=["count"], windows=["1d"]), rows)[-5:] == [2, 2, 2, 1, 2]
    features = column(window(key="card", aggregates=["count"], windows=["1d"]), rows.iloc[:-3])
    assert (features[0], features[1], features[-1], sum(features)) == (2, 1, 2, 69_998 + 4 * 2)


def test_booleans_are_aggregated_as_0_and_1():
    rows = frame(
        *[{"time": f"2025-01-10 1{n}:00", "online": online} for n, online in enumerate([True, False, None, True])]
    )
    assert column(window(key="card", value="online", aggregates=["mean"], windows=["1d"]), rows) == [
        1.0,
        0.5,
        0.5,
        2 / 3,
    ]


@pytest.mark.parametrize("aggregate", ["ratio", "zscore"])
def test_dividing_by_0_gives_a_missing_value(aggregate: str):
    rows = frame(
        {"time": "2025-01-10 10:00", "amount": 0.0},
        {"time": "2025-01-10 10:00", "amount": 0.0},
        {"time": "2025-01-10 10:00", "card": 2, "amount": 0.0},
    )
    assert same(column(window(key="card", value="amount", aggregates=[aggregate], windows=["1d"]), rows), [NAN] * 3)


@pytest.mark.parametrize("aggregate", ["sum", "mean", "std", "min", "max", "difference", "ratio", "zscore"])
def test_extreme_values_never_give_an_infinite_feature(aggregate: str):
    amounts = [math.inf, -math.inf, 1.7e308, 1e140, 1e139, 1e-300]
    rows = frame(*[{"time": f"2025-01-10 1{n}:00", "amount": amount} for n, amount in enumerate(amounts)])
    assert not np.isinf(column(window(key="card", value="amount", aggregates=[aggregate], windows=["1d"]), rows)).any()
    assert column(window(key="card", value="amount", aggregates=["count"], windows=["1d"]), rows) == [1, 2, 3, 4, 5, 6]
