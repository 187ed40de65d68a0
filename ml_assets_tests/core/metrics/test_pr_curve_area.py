"""The area under the precision-recall curve is the one of XGBoost's aucpr."""

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics.pr_curve_area import PrCurveArea

LABELLED_SCORES = st.lists(st.tuples(st.integers(0, 1), st.integers(-6, 6)), min_size=2, max_size=40)


@given(LABELLED_SCORES.filter(lambda rows: len({label for label, _ in rows}) == 2))
def test_the_area_is_that_of_xgboost(rows):
    labels, margins = (np.array(values, dtype=np.float32) for values in zip(*rows, strict=True))
    matrix = xgb.DMatrix(margins[:, None], label=labels, base_margin=margins, nthread=1)
    booster = xgb.Booster({"objective": "binary:logistic", "eval_metric": "aucpr", "nthread": 1}, [matrix])
    expected = float(booster.eval(matrix).rpartition(":")[2])
    assert PrCurveArea(labels)(booster.predict(matrix)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("labels", [[0, 0], [1, 1], []])
def test_the_area_of_one_class_is_zero(labels):
    assert PrCurveArea(labels)(np.full(len(labels), 0.5)) == 0
