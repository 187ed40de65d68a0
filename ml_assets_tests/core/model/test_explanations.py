"""Explanations name the features that add most to the highest scores, with JSON values; other rows have none."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model.explanations import DIGITS, explain_scores
from ml_assets_tests.core.model.test_scorer import FRAME, SCORER, SCORES


def explain(rows=5, count=3, frame=FRAME, scores=SCORES):
    return [
        None if reason is None else json.loads(reason) for reason in explain_scores(SCORER, frame, scores, rows, count)
    ]


def test_only_the_rows_with_the_highest_scores_are_explained_the_first_among_equal_ones():
    scores = np.array([0.5, 0.9, 0.5, 0.1])
    explanations = explain(2, frame=FRAME.head(4), scores=scores)
    assert [reason is not None for reason in explanations] == [True, True, False, False]


def test_an_explanation_has_the_top_features_with_value_and_contribution():
    place = int(np.argmax(SCORES))
    contributions = dict(zip(SCORER.features, SCORER.contributions(FRAME.iloc[[place]])[0], strict=False))
    reason = explain(1)[place]
    assert 0 < len(reason) <= 3
    for entry, (feature, contribution) in zip(
        reason, sorted(contributions.items(), key=lambda item: -item[1]), strict=False
    ):
        value = FRAME[feature].iloc[place]
        assert entry == {
            "feature": feature,
            "value": None if pd.isna(value) else value,
            "contribution": round(contribution, DIGITS),
        }


def test_only_features_with_positive_contributions_are_listed():
    explanations = explain(len(FRAME), 100)
    contributions = SCORER.contributions(FRAME)[:, :-1]
    assert [len(reason) for reason in explanations] == (contributions > 0).sum(axis=1).tolist()


@given(st.permutations(range(12)), st.integers(0, 15))
def test_the_explanation_of_a_row_does_not_depend_on_other_rows(order, rows):
    scores = SCORES[:12] + np.arange(12) * 1e-9
    frame = FRAME.head(12)
    explanations = explain(rows, frame=frame, scores=scores)
    assert sum(reason is not None for reason in explanations) == min(rows, 12)
    assert explain(rows, frame=frame.iloc[list(order)], scores=scores[list(order)]) == [
        explanations[place] for place in order
    ]


def test_values_that_json_lacks_are_null_and_numbers_of_every_kind_stay_numbers():
    frame = FRAME.head(3).assign(amount=pd.array([14, None, 15], dtype="Int64"), plain=[np.inf, np.nan, 0.5])
    values = [
        {entry["feature"]: entry["value"] for entry in reason}
        for reason in explain(3, 10, frame, np.array([0.3, 0.2, 0.1]))
    ]
    for row, explanations in enumerate(values):
        assert explanations.get("amount", [14, None, 15][row]) == [14, None, 15][row]
        assert explanations.get("plain", [None, None, 0.5][row]) == [None, None, 0.5][row]
    assert any("amount" in explanations for explanations in values)


def test_no_rows_have_no_explanations():
    assert explain(5, frame=FRAME.head(0), scores=SCORES[:0]) == []
    assert explain(0) == [None] * len(FRAME)


def test_scores_of_other_rows_and_negative_numbers_are_refused():
    with pytest.raises(ValueError, match="200 rows and 3 scores"):
        explain(scores=SCORES[:3])
    with pytest.raises(ValueError, match="must not be negative"):
        explain(-1)
