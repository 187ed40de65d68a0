"""Metrics at k equal their definition, and do not depend on the order of the rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics.precision_at_k import (
    daily_entity_precision_at_k,
    daily_precision_at_k,
)


def test_precision_at_k_is_measured_for_each_day():
    days = ["a", "a", "a", "b", "b", "b"]
    assert daily_precision_at_k(days, [1, 1, 0, 0, 1, 1], [0.9, 0.8, 0.1, 0.9, 0.8, 0.1], 2).to_dict() == {
        "a": 1,
        "b": 0.5,
    }
    assert daily_precision_at_k(days, [1, 1, 0, 0, 1, 1], [0.9, 0.8, 0.1, 0.9, 0.8, 0.1], 2).mean() == 0.75


def test_day_of_fewer_rows_than_k_counts_all_of_them():
    assert daily_precision_at_k(["a", "a"], [1, 0], [0.9, 0.1], 100).mean() == 0.5


def test_rows_that_tie_for_the_last_ranks_count_with_their_expected_share():
    # One certain row, and one rank for three rows of which two are positive.
    shares = daily_precision_at_k(["a"] * 5, [0, 1, 1, 0, 1], [0.9, 0.5, 0.5, 0.5, 0.1], 2)
    assert shares.mean() == pytest.approx((0 + 2 / 3) / 2)


def test_at_k_without_rows_is_nan():
    assert np.isnan(daily_precision_at_k([], [], [], 5).mean())
    assert np.isnan(daily_entity_precision_at_k([], [], [], [], 5).mean())


def test_k_below_one_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1"):
        daily_precision_at_k(["a"], [1], [0.5], 0)


def test_entity_has_its_highest_score_and_is_positive_when_any_row_is():
    # x has 0.9 from a negative row and its positive row scores low; y lies between.
    assert daily_entity_precision_at_k(["a"] * 3, ["x", "x", "y"], [0, 1, 0], [0.9, 0.1, 0.5], 1).mean() == 1


def test_detected_entities_are_excluded_on_later_days():
    days, entities = ["a", "a", "b", "b", "c"], ["x", "y", "x", "y", "x"]
    labels, scores = [1, 0, 1, 0, 1], [0.9, 0.1, 0.9, 0.1, 0.9]
    # x is detected on day a; only y remains on day b, and no entity on day c.
    assert daily_entity_precision_at_k(days, entities, labels, scores, 1).to_dict() == {"a": 1, "b": 0}


def test_an_entity_that_ties_for_the_last_rank_is_not_certain_to_be_detected():
    days, entities = ["a", "a", "b"], ["x", "y", "x"]
    assert daily_entity_precision_at_k(days, entities, [1, 0, 1], [0.9, 0.9, 0.9], 1).to_dict() == {"a": 0.5, "b": 1}


def test_rows_without_an_entity_do_not_count():
    entities = pd.array([None, 7, 8], dtype="Int64")
    assert daily_entity_precision_at_k(["a"] * 3, entities, [0, 1, 0], [0.9, 0.5, 0.1], 1).mean() == 1


AT_K = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("uvwxyz"), st.integers(0, 1), st.integers(0, 4)), max_size=25
)


@given(AT_K, st.integers(1, 5), st.randoms(use_true_random=False))
def test_metrics_at_k_do_not_depend_on_row_order(rows, k, random):
    def measured(shuffled):
        days, entities, labels, tenths = zip(*shuffled, strict=True) if shuffled else ((), (), (), ())
        scores = np.array(tenths, dtype=float) / 10
        by_row = daily_precision_at_k(days, labels, scores, k)
        return [by_row.mean(), daily_entity_precision_at_k(days, entities, labels, scores, k).mean()]

    assert np.array_equal(measured(rows), measured(random.sample(rows, len(rows))), equal_nan=True)


@given(AT_K, st.integers(1, 3), st.randoms(use_true_random=False))
def test_entity_precision_without_ties_is_that_of_the_definition_day_by_day(rows, k, random):
    rows = [(*row, rank / 100) for row, rank in zip(rows, random.sample(range(100), len(rows)), strict=True)]
    expected, detected = {}, set()
    for day in sorted({row[0] for row in rows}):
        remaining = [row for row in rows if row[0] == day and row[1] not in detected]
        best = sorted(
            {row[1] for row in remaining}, key=lambda entity: -max(row[4] for row in remaining if row[1] == entity)
        )[:k]
        right = {entity for entity in best if any(row[2] for row in remaining if row[1] == entity)}
        if best:
            expected[day] = len(right) / len(best)
        detected |= right
    columns = [[row[position] for row in rows] for position in (0, 1, 2, 4)]
    assert daily_entity_precision_at_k(*columns, k).to_dict() == expected
