import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.features.point_in_time import build_features
from ml_assets_tests.core.features.feature_cases import frame, spec_with

HERE = "ml_assets_tests.core.features.test_custom"
ROWS = frame(
    {"id": 2, "time": "2025-01-10 11:00", "amount": 5.0, "label": 1},
    {"id": 1, "time": "2025-01-10 10:00", "amount": 3.0, "label": 1},
)
HISTORY = frame(
    *[{"id": 10 + day, "time": f"2025-01-{day:02} 00:00", "amount": float(day), "label": 1} for day in (9, 8, 7, 6)]
)
ARGUMENTS: dict[str, pd.DataFrame] = {}


def record_arguments(rows: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    ARGUMENTS.update(rows=rows.copy(), history=history.copy())
    result = pd.DataFrame({"x": rows["amount"] * 2, "y": len(history)})
    rows["amount"] = history["amount"] = -1.0
    return result


def return_changed(rows: pd.DataFrame, history: pd.DataFrame) -> Any:
    return CHANGE["to"](pd.DataFrame({"x": rows["amount"], "y": 1}))


CHANGE: dict[str, Callable[[pd.DataFrame], Any]] = {}


def spec(function: str = "record_arguments", reads: str = "3d", **more: Any):
    path = function if ":" in function else f"{HERE}:{function}"
    return spec_with(
        {"kind": "custom", "function": path, "outputs": ["x", "y"], "reads": reads},
        {"kind": "column", "columns": ["amount"]},
        **more,
    )


def test_the_outputs_are_features_of_the_rows_in_order_of_time():
    result = build_features(spec(), ROWS, HISTORY)
    assert result[["id", "x", "y", "amount"]].to_numpy().tolist() == [[1, 6.0, 2.0, 3.0], [2, 10.0, 2.0, 5.0]]
    assert result["y"].dtype == np.float64


def test_the_function_cannot_change_what_other_features_see():
    assert build_features(spec(), ROWS, HISTORY)["amount"].tolist() == [3.0, 5.0]
    assert HISTORY["amount"].tolist() == [9.0, 8.0, 7.0, 6.0]


def test_the_function_sees_the_history_after_reads_before_the_day_and_labels_up_to_the_label_delay():
    build_features(spec(), ROWS, HISTORY)
    assert ARGUMENTS["history"]["id"].tolist() == [18, 19]
    build_features(spec(reads="4d"), ROWS, HISTORY)
    assert ARGUMENTS["history"]["id"].tolist() == [17, 18, 19]
    assert ARGUMENTS["history"]["label"].fillna(-1).tolist() == [1, 1, -1]
    assert ARGUMENTS["rows"]["label"].isna().all()
    assert (
        list(ARGUMENTS["rows"])
        == list(ARGUMENTS["history"])
        == ["id", "time", "card", "shop", "amount", "online", "label"]
    )


@pytest.mark.parametrize("history", [HISTORY.iloc[:0], frame({"time": "2024-12-01"}), pd.DataFrame()])
def test_without_history_the_function_sees_an_empty_frame_of_the_same_types(history: pd.DataFrame):
    assert build_features(spec(), ROWS, history)["y"].tolist() == [0.0, 0.0]
    assert ARGUMENTS["history"].dtypes.equals(ARGUMENTS["rows"].dtypes)


def test_a_function_that_reads_no_history_sees_only_the_rows_of_the_day():
    assert build_features(spec(reads="0d"), ROWS, HISTORY)["y"].tolist() == [0.0, 0.0]


def test_unknown_boolean_labels_are_hidden_too():
    columns = spec().model_dump()["columns"] | {"label": {"type": "boolean"}}
    table = [table.astype({"label": "bool"}) for table in (ROWS, HISTORY)]
    build_features(spec(reads="4d", columns=columns), *table)
    assert ARGUMENTS["history"]["label"].dtype == ARGUMENTS["rows"]["label"].dtype == "boolean"
    assert ARGUMENTS["history"]["label"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda result: result["x"], "returned a Series, not a pandas DataFrame"),
        (lambda result: result[["x"]], "returned the columns x, but its outputs are x, y"),
        (lambda result: result.assign(z=1), "returned the columns x, y, z, but its outputs are x, y"),
        (lambda result: result.iloc[:1], "another index than that of rows"),
        (lambda result: result.iloc[::-1], "another index than that of rows"),
        (lambda result: result.assign(x="a"), "returned x as object; features are numbers"),
    ],
)
def test_a_function_with_an_invalid_result_is_named(change: Callable[[pd.DataFrame], Any], message: str):
    CHANGE["to"] = change
    with pytest.raises(ValueError, match=f"features of cards: custom function {HERE}:return_changed .*{message}"):
        build_features(spec("return_changed"), ROWS, HISTORY)


def test_the_outputs_may_come_in_any_order_with_missing_values_and_as_any_numbers():
    CHANGE["to"] = lambda result: pd.DataFrame({"y": result["x"] > 3, "x": pd.Series([1, None], dtype="Int64")})
    result = build_features(spec("return_changed"), ROWS, HISTORY)
    assert result["y"].tolist() == [0.0, 1.0]
    assert np.array_equal(result["x"], [1.0, math.nan], equal_nan=True)


def test_infinite_values_are_passed_on():
    CHANGE["to"] = lambda result: result.assign(x=[math.inf, -math.inf])
    assert build_features(spec("return_changed"), ROWS, HISTORY)["x"].tolist() == [math.inf, -math.inf]


@pytest.mark.parametrize("path", [f"{HERE}:no_such_function"])
def test_a_function_that_does_not_exist_is_named(path: str):
    with pytest.raises(ValueError, match=f"custom function {path} cannot be imported .*check the spelling"):
        build_features(spec(path), ROWS, HISTORY)


def test_an_error_in_the_function_is_passed_on_with_its_name_and_the_day():
    def fails(result: pd.DataFrame) -> None:
        raise KeyError("colour")

    CHANGE["to"] = fails
    with pytest.raises(KeyError) as caught:
        build_features(spec("return_changed"), ROWS, HISTORY)
    assert caught.value.__notes__ == [
        f"features of cards: custom function {HERE}:return_changed"
        " failed on the day that begins at 2025-01-10 00:00:00+00:00"
    ]


def test_a_column_that_is_known_later_is_hidden_as_labels_are():
    columns = {name: column.model_dump() for name, column in spec().columns.items()}
    columns["amount"] = {**columns["amount"], "known_after": "2d"}
    feature = {"kind": "custom", "function": f"{HERE}:record_arguments", "outputs": ["x", "y"], "reads": "3d"}
    late = spec_with(feature, columns=columns)
    build_features(late, ROWS, HISTORY)
    assert ARGUMENTS["rows"]["amount"].isna().all()
    # The history reaches from 7 to 9 January, and the rows of the 8th are known when the 10th begins.
    assert ARGUMENTS["history"]["amount"].isna().tolist() == [False, True]
