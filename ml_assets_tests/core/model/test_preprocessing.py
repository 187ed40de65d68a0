"""Preprocessing equals that of scikit-learn on all days at once, however the rows are split into days."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from ml_assets.core.model.preprocessing import PreprocessingFit, to_bytes
from ml_assets.core.model.scorer import to_matrix
from ml_assets.core.model_spec import ModelSpec

ALL_KINDS = {
    "scale": {"amount": "standard", "other": "minmax"},
    "encode": {"shop": "frequency", "land": "ordinal", "kind": "onehot"},
}


def _spec(small, preprocessing):
    for name in ["shop", "land", "kind", "free"]:
        small["columns"][name] = {"type": "string", "nullable": True}
    small["columns"]["other"] = {"type": "number", "nullable": True}
    small["features"] = [
        {"kind": "column", "columns": ["amount", "other"]},
        {"kind": "categorical", "columns": ["shop", "land", "kind", "free"]},
    ]
    small["training"]["preprocessing"] = preprocessing
    return ModelSpec.model_validate(small)


@pytest.fixture
def spec(small):
    return _spec(small, ALL_KINDS)


def _frame(amounts, shops=None):
    shops = shops or ["a"] * len(amounts)
    return pd.DataFrame(
        {"amount": amounts, "other": amounts, "shop": shops, "land": shops, "kind": shops, "free": shops}
    )


def _fit(spec, *frames):
    fitting = PreprocessingFit(spec)
    for frame in frames:
        fitting.add(frame)
    return fitting.fitted()


def _feature(fitted, name):
    return next(feature for feature in fitted["features"] if feature["name"] == name)


def test_scaling_is_that_of_scikit_learn_on_all_days_at_once(spec):
    values = np.array([1.0, 5.0, np.nan, 7.0, 100.0])
    fitted = _fit(spec, _frame(values[:2]), _frame(values[2:]))
    standard, minmax = (scaler.fit(values[:, None]) for scaler in (StandardScaler(), MinMaxScaler()))
    assert _feature(fitted, "amount")["shift"] == pytest.approx(standard.mean_[0])
    assert _feature(fitted, "amount")["divisor"] == pytest.approx(standard.scale_[0])
    assert (_feature(fitted, "other")["shift"], _feature(fitted, "other")["divisor"]) == (
        minmax.data_min_[0],
        minmax.data_range_[0],
    )


def test_encodings_list_the_sorted_categories_and_shares_of_all_rows(spec):
    fitted = _fit(spec, _frame([1, 2], ["b", None]), _frame([3, 4], ["a", "b"]))
    assert _feature(fitted, "shop") == {
        "name": "shop",
        "kind": "frequency",
        "categories": ["a", "b"],
        "shares": [0.25, 0.5],
    }
    assert [_feature(fitted, name)["kind"] for name in ["land", "kind", "free"]] == ["ordinal", "onehot", "native"]
    assert [feature["name"] for feature in fitted["features"]] == spec.feature_names()


def test_a_fitted_result_does_not_change_if_days_are_added_later(spec):
    fitting = PreprocessingFit(spec)
    fitting.add(_frame([1.0, 2.0]))
    first = fitting.fitted()
    before = to_bytes(first)
    fitting.add(_frame([50.0], ["new"]))
    assert to_bytes(first) == before != to_bytes(fitting.fitted())


@pytest.mark.parametrize("values", [[3.0, 3.0], [np.nan, np.nan], []])
def test_constant_missing_and_no_values_leave_finite_scales(spec, values):
    fitted = _fit(spec, _frame(values))
    for name in ["amount", "other"]:
        feature = _feature(fitted, name)
        assert feature.get("divisor", 1.0) == 1.0
    assert json.loads(to_bytes(fitted)) == fitted


def test_values_of_another_kind_are_refused_with_the_feature_named(spec):
    with pytest.raises(ValueError, match=r"feature shop: expected categories as text, found floating"):
        _fit(spec, _frame([1.0], [3.5]))
    with pytest.raises(ValueError, match=r"feature amount: expected numbers"):
        _fit(spec, _frame(["x"]))


def test_nan_never_gets_into_the_file():
    with pytest.raises(ValueError, match="JSON"):
        to_bytes({"threshold": float("nan")})


ROW = st.tuples(st.floats(-1e6, 1e6) | st.just(float("nan")), st.sampled_from(["a", "b", "ä", None]))


@given(st.lists(ROW, min_size=1, max_size=20), st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_and_days_of_the_rows_change_at_most_the_last_digits_of_mean_and_standard_deviation(rows, random, size):
    from ml_assets_tests.conftest import SMALL

    spec = _spec(json.loads(json.dumps(SMALL)), ALL_KINDS)
    whole = _fit(spec, _frame(*map(list, zip(*rows, strict=True))))
    shuffled = random.sample(rows, len(rows))
    parts = [shuffled[begin : begin + size] for begin in range(0, len(rows), size)]
    split = _fit(spec, *[_frame(*map(list, zip(*part, strict=True))) for part in parts])
    for expected, feature in zip(whole["features"], split["features"], strict=True):
        if expected["name"] == "amount" and "shift" in expected:
            assert feature["shift"] == pytest.approx(expected["shift"], rel=1e-9, abs=1e-6)
            # A standard deviation of rounding errors only may count as zero or not.
            if expected["divisor"] > 1e-3 and expected["divisor"] != 1.0:
                assert feature["divisor"] == pytest.approx(expected["divisor"], rel=1e-6)
        else:
            assert feature == expected


@pytest.mark.parametrize("extreme", [1.7976931348623157e308, -1.7976931348623157e308, 1e200, 5e-324])
def test_extreme_values_leave_the_scaling_of_the_others_as_it_is(spec, extreme):
    usual = np.array([1.0, 5.0, 7.0])
    fitted = _fit(spec, _frame(np.append(usual, [extreme, extreme, -extreme])))
    if abs(extreme) > 1:
        assert fitted == _fit(spec, _frame(np.append(usual, [np.nan] * 3)))
    to_bytes(fitted)


def test_a_feature_with_extreme_values_only_is_not_scaled(spec):
    fitted = _fit(spec, _frame(np.array([1e308, -1e308])))
    assert "divisor" not in _feature(fitted, "amount")
    matrix = to_matrix(fitted, _frame(np.array([1e308, 3.0])))
    assert np.isnan(matrix[0, 0])
    assert matrix[1, 0] == 3
