"""Rows that are scored one at a time have the scores of a frame."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model.explanations import explain_scores
from ml_assets.core.model.scorer import Scorer, column_types, to_matrix
from ml_assets.core.serving.online_scorer import OnlineScorer
from ml_assets_tests.core.features.feature_cases import spec_with

SPEC = spec_with(
    {"kind": "column", "columns": ["amount"]},
    {"kind": "log1p", "columns": ["amount"]},
    {"kind": "categorical", "columns": ["shop", "card", "online"]},
)
FITTED = [
    {"name": "amount", "kind": "number", "shift": 3.5, "divisor": 7.1},
    {"name": "amount_log1p", "kind": "number"},
    {"name": "shop", "kind": "onehot", "categories": ["a", "b", "c"]},
    {"name": "card", "kind": "frequency", "categories": ["1", "2"], "shares": [0.75, 0.2]},
    {"name": "online", "kind": "native", "categories": ["False", "True"]},
]
CELLS = st.none() | st.floats() | st.sampled_from([3.5, 0.1, 1e39, -1e39, float("inf")])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "amount": CELLS,
            "amount_log1p": CELLS,
            "shop": st.sampled_from(["a", "b", "c", "new", None]),
            "card": st.sampled_from(["1", "2", "3", None]),
            "online": st.sampled_from(["True", "False", None]),
        }
    ).map(
        lambda row: {
            name: float("nan") if value is None and name.startswith("amount") else value for name, value in row.items()
        }
    ),
    min_size=1,
    max_size=6,
)


def scorer(fitted: list[dict]) -> Scorer:
    import xgboost as xgb

    draw = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "amount": draw.normal(0, 10, 200),
            "amount_log1p": draw.random(200),
            "shop": draw.choice(["a", "b", "c"], 200),
            "card": draw.choice(["1", "2"], 200),
            "online": draw.choice(["True", "False"], 200),
        }
    )
    preprocessing = {"features": fitted, "target": "label", "threshold": 0.4}
    types = column_types(preprocessing)
    data = xgb.DMatrix(
        to_matrix(preprocessing, frame),
        frame["amount"] + 20 * (frame["shop"] == "a") > 9,
        feature_types=types,
        enable_categorical=True,
    )
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 4, "nthread": 1}, data, 10)
    return Scorer.from_bytes(bytes(booster.save_raw("ubj")), json.dumps(preprocessing).encode())


MODELS = [
    OnlineScorer(scorer(fitted), SPEC)
    for fitted in (FITTED, [feature for feature in FITTED if feature["kind"] != "onehot"])
]


@pytest.mark.parametrize("model", MODELS, ids=["wide", "narrow"])
@given(ROWS)
def test_scores_are_those_of_a_frame_to_the_last_bit(model, rows):
    frame = pd.DataFrame(rows).astype({"shop": object, "card": object, "online": object})
    predicted = pd.DataFrame(model.predict([model.encode(row) for row in rows]))
    pd.testing.assert_frame_equal(predicted, pd.DataFrame(model.scorer.predict(frame)), check_exact=True)


def test_reasons_are_ordered_by_their_contribution():
    row = {"amount": 2.0, "amount_log1p": float("nan"), "shop": "a", "card": "1", "online": "True"}
    result = MODELS[0].reasons(row, 2)
    assert result[0]["feature"] == "shop"
    assert result[0]["value"] == "a"
    assert [reason["contribution"] for reason in result] == sorted(
        (reason["contribution"] for reason in result), reverse=True
    )
    assert all(reason["contribution"] > 0 for reason in result)
    assert len(MODELS[0].reasons(row, 99)) <= 5
    (of_batch,) = explain_scores(MODELS[0].scorer, pd.DataFrame([row]), np.ones(1), 1, 2)
    assert json.loads(of_batch or "") == result


def test_a_model_with_an_undefined_feature_is_refused():
    with pytest.raises(ValueError, match="does not define: card"):
        OnlineScorer(
            MODELS[0].scorer,
            spec_with(
                {"kind": "column", "columns": ["amount"]},
                *[dict(kind="log1p", columns=["amount"])],
                {"kind": "categorical", "columns": ["shop", "online"]},
            ),
        )
