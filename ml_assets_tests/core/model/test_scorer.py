"""Scores depend only on the row, and the scorer needs only its own module and the two files of the model."""

import ast
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model import scorer as scorer_module
from ml_assets.core.model.scorer import Scorer, column_types, texts, to_matrix

PREPROCESSING = {
    "target": "label",
    "threshold": 0.25,
    "features": [
        {"name": "amount", "kind": "number", "shift": 10.0, "divisor": 2.0},
        {"name": "plain", "kind": "number"},
        {"name": "native", "kind": "native", "categories": ["a", "b", "c"]},
        {"name": "onehot", "kind": "onehot", "categories": ["a", "b"]},
        {"name": "ordinal", "kind": "ordinal", "categories": ["a", "b"]},
        {"name": "frequency", "kind": "frequency", "categories": ["a", "b"], "shares": [0.75, 0.25]},
    ],
}
NAN = np.nan


def _frame(rows=200, seed=0):
    random = np.random.default_rng(seed)
    texts = {
        name: random.choice(["a", "b", "c", "unseen", None], rows)
        for name in ["native", "onehot", "ordinal", "frequency"]
    }
    return pd.DataFrame(
        {
            "amount": random.normal(10, 4, rows),
            "plain": np.where(random.random(rows) < 0.2, NAN, random.random(rows)),
            **texts,
        }
    )


def _model(preprocessing=PREPROCESSING, **parameters):
    frame = _frame(400, seed=1)
    labels = ((frame["amount"] > 11) | (frame["onehot"] == "b")).astype(int)
    matrix = xgb.DMatrix(
        to_matrix(preprocessing, frame), labels, feature_types=column_types(preprocessing), enable_categorical=True
    )
    return bytes(xgb.train({"objective": "binary:logistic", "nthread": 1, **parameters}, matrix, 8).save_raw("ubj"))


MODEL = _model()
SCORER = Scorer(MODEL, PREPROCESSING)
FRAME = _frame()
SCORES = SCORER.score(FRAME)


def test_each_kind_of_feature_becomes_the_columns_of_the_matrix():
    frame = pd.DataFrame({name: ["a", "b", "unseen", None] for name in ["native", "onehot", "ordinal", "frequency"]})
    frame["amount"], frame["plain"] = [10.0, 14.0, NAN, np.inf], [1, 2, 3, 4]
    expected = [
        [0, 1, 0, 1, 0, 0, 0.75],
        [2, 2, 1, 0, 1, 1, 0.25],
        [NAN, 3, NAN, NAN, NAN, NAN, NAN],
        [NAN, 4, NAN, NAN, NAN, NAN, NAN],
    ]
    matrix = SCORER.matrix(frame)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, np.array(expected, dtype=np.float32))


def test_numbers_that_float32_cannot_hold_are_missing():
    assert np.isnan(SCORER.matrix(_frame(1).assign(plain=1e300))[0, 1])


@pytest.mark.parametrize("kind", ["object", "string", "category"])
@pytest.mark.parametrize("numbers", ["float64", "float32", "Float64"])
def test_text_and_numbers_of_any_pandas_type_give_the_same_matrix(kind, numbers):
    frame = _frame().astype({"plain": "float32"})
    typed = frame.astype({"native": kind, "onehot": kind, "plain": numbers})
    np.testing.assert_array_equal(SCORER.matrix(typed), SCORER.matrix(frame))


def test_booleans_are_numbers():
    assert SCORER.matrix(_frame(2).assign(plain=pd.array([True, None], dtype="boolean")))[0, 1] == 1


def test_column_order_and_other_columns_do_not_matter():
    frame = _frame()
    reordered = frame[frame.columns[::-1]].assign(label=1)
    np.testing.assert_array_equal(SCORER.score(reordered), SCORER.score(frame))


def test_missing_features_are_named_even_for_no_rows():
    with pytest.raises(ValueError, match="2 of the model's 6 features are missing: plain, ordinal"):
        SCORER.score(_frame(0).drop(columns=["ordinal", "plain"]))


def test_categories_that_are_not_text_are_refused():
    with pytest.raises(ValueError, match="feature native: expected categories as text, found floating"):
        SCORER.score(_frame(3).assign(native=[1.0, 2.0, 3.0]))


def test_integer_and_boolean_categories_are_converted_to_text():
    assert texts(pd.Series([1, None, 3], dtype="Int64")).tolist() == ["1", None, "3"]
    assert texts(pd.Series([True, False])).tolist() == ["True", "False"]


def test_text_where_a_number_belongs_is_refused():
    with pytest.raises(ValueError, match="feature plain: expected numbers"):
        SCORER.score(_frame(1).assign(plain="much"))


def test_no_rows_give_no_scores():
    assert SCORER.score(_frame(0)).shape == (0,)


def test_scores_are_those_of_a_dmatrix():
    frame = _frame()
    types = column_types(PREPROCESSING)
    matrix = xgb.DMatrix(SCORER.matrix(frame), feature_types=types, enable_categorical=True)
    scores = SCORER.score(frame)
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(scores, xgb.Booster(model_file=bytearray(MODEL)).predict(matrix))


@given(st.lists(st.integers(0, 199), max_size=40))
def test_a_score_depends_only_on_its_row(positions):
    np.testing.assert_array_equal(SCORER.score(FRAME.iloc[positions]), SCORES[positions])


def test_importances_are_shares_by_feature_with_one_hot_columns_summed():
    importances = SCORER.importances()
    gains = xgb.Booster(model_file=bytearray(MODEL)).get_score(importance_type="total_gain")
    assert list(importances) == SCORER.features
    assert sum(importances.values()) == pytest.approx(1)
    assert importances["onehot"] == pytest.approx((gains.get("f3", 0) + gains.get("f4", 0)) / sum(gains.values()))
    assert importances["amount"] > importances["frequency"]


def test_a_model_without_splits_has_no_importances():
    assert set(Scorer(_model(gamma=1e9), PREPROCESSING).importances().values()) == {0.0}


def test_files_and_bytes_give_the_same_scorer(tmp_path):
    preprocessing = json.dumps(PREPROCESSING).encode()
    (tmp_path / "model.ubj").write_bytes(MODEL)
    (tmp_path / "preprocessing.json").write_bytes(preprocessing)
    from_files = Scorer.from_files(str(tmp_path / "model.ubj"), str(tmp_path / "preprocessing.json"))
    from_bytes = Scorer.from_bytes(MODEL, preprocessing)
    assert from_files.threshold == from_bytes.threshold == 0.25
    np.testing.assert_array_equal(from_files.score(_frame()), from_bytes.score(_frame()))


def test_files_of_different_models_and_invalid_files_are_refused():
    fewer = {**PREPROCESSING, "features": PREPROCESSING["features"][:2]}
    with pytest.raises(ValueError, match="takes 7 columns, the preprocessing makes 2"):
        Scorer(MODEL, fewer)
    with pytest.raises(ValueError, match="3 bytes are not a booster"):
        Scorer(b"abc", PREPROCESSING)


def test_the_module_imports_nothing_that_is_not_shipped_with_a_model():
    tree = ast.parse(Path(scorer_module.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    at_module_level = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"json", "numpy", "pandas", "xgboost", "collections.abc"}
    assert at_module_level == {"json", "numpy", "pandas"}


def test_contributions_of_a_row_sum_to_the_log_odds_of_its_score_and_have_one_column_for_each_feature():
    contributions = SCORER.contributions(FRAME)
    assert contributions.shape == (len(FRAME), len(SCORER.features) + 1)
    np.testing.assert_allclose(contributions.sum(axis=1), np.log(SCORES / (1 - SCORES)), atol=1e-4)
    amount, ordinal = SCORER.features.index("amount"), SCORER.features.index("ordinal")
    assert np.abs(contributions[:, amount]).mean() > 10 * np.abs(contributions[:, ordinal]).mean()
    assert SCORER.contributions(FRAME.head(0)).shape == (0, len(SCORER.features) + 1)
