"""Reasons name what adds most to the highest scores, with values that JSON has, and leave the other rows alone."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_assets.core.model.explanations import DIGITS, reasons
from ml_assets_tests.core.model.test_scorer import FRAME, SCORER, SCORES


def told(rows=5, count=3, frame=FRAME, scores=SCORES):
    return [None if reason is None else json.loads(reason) for reason in reasons(SCORER, frame, scores, rows, count)]


def test_only_the_rows_with_the_highest_scores_have_reasons_of_equal_ones_the_first():
    scores = np.array([0.5, 0.9, 0.5, 0.1])
    found = told(2, frame=FRAME.head(4), scores=scores)
    assert [reason is not None for reason in found] == [True, True, False, False]


def test_a_reason_names_the_features_that_add_most_with_value_and_contribution():
    place = int(np.argmax(SCORES))
    contributions = dict(zip(SCORER.features, SCORER.contributions(FRAME.iloc[[place]])[0], strict=False))
    reason = told(1)[place]
    assert 0 < len(reason) <= 3
    for entry, (feature, added) in zip(reason, sorted(contributions.items(), key=lambda one: -one[1]), strict=False):
        value = FRAME[feature].iloc[place]
        assert entry == {
            "feature": feature,
            "value": None if pd.isna(value) else value,
            "contribution": round(added, DIGITS),
        }


def test_what_takes_away_is_no_reason_and_all_that_adds_is_when_asked_for():
    found = told(len(FRAME), 100)
    added = SCORER.contributions(FRAME)[:, :-1]
    assert [len(reason) for reason in found] == (added > 0).sum(axis=1).tolist()


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(12)), st.integers(0, 15))
def test_reasons_of_a_row_do_not_depend_on_the_others(order, rows):
    scores = SCORES[:12] + np.arange(12) * 1e-9
    frame = FRAME.head(12)
    found = told(rows, frame=frame, scores=scores)
    assert sum(reason is not None for reason in found) == min(rows, 12)
    assert told(rows, frame=frame.iloc[list(order)], scores=scores[list(order)]) == [found[place] for place in order]


def test_values_that_json_lacks_are_null_and_numbers_of_every_kind_stay_numbers():
    frame = FRAME.head(3).assign(amount=pd.array([14, None, 15], dtype="Int64"), plain=[np.inf, np.nan, 0.5])
    values = [
        {entry["feature"]: entry["value"] for entry in reason}
        for reason in told(3, 10, frame, np.array([0.3, 0.2, 0.1]))
    ]
    for row, found in enumerate(values):
        assert found.get("amount", [14, None, 15][row]) == [14, None, 15][row]
        assert found.get("plain", [None, None, 0.5][row]) == [None, None, 0.5][row]
    assert any("amount" in found for found in values)


def test_no_rows_no_reasons():
    assert told(5, frame=FRAME.head(0), scores=SCORES[:0]) == []
    assert told(0) == [None] * len(FRAME)


def test_scores_of_other_rows_and_negative_numbers_are_refused():
    with pytest.raises(ValueError, match="200 rows and 3 scores"):
        told(scores=SCORES[:3])
    with pytest.raises(ValueError, match="must not be negative"):
        told(-1)
