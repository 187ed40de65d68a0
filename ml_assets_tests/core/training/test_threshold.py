"""The decision threshold follows the rule, treats ties alike, and does not depend on the order of the rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics.classification import point_metrics
from ml_assets.core.model_spec.training import Threshold
from ml_assets.core.training.threshold import choose_threshold

LABELS = [0, 0, 1, 0, 1, 1]
SCORES = [0.1, 0.2, 0.3, 0.4, 0.8, 0.9]
ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])), min_size=1, max_size=30
)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ("max_f1", None, 0.3),
        ("min_precision", 0.9, 0.8),
        ("min_precision", 0.7, 0.3),
        ("min_recall", 0.5, 0.8),
        ("min_recall", 0.7, 0.3),
        ("fixed", 0.6, 0.6),
    ],
)
def test_each_rule_on_a_worked_example(rule, value, expected):
    threshold, note = choose_threshold(Threshold(rule=rule, value=value), LABELS, SCORES)
    assert threshold == expected
    assert rule in note


def test_rows_of_equal_score_are_decided_alike():
    # Were the two rows at 0.5 parted, a precision of 1 would be within reach.
    threshold, _ = choose_threshold(Threshold(rule="min_precision", value=0.6), [1, 0, 1, 0], [0.5, 0.5, 0.4, 0.1])
    assert threshold == 0.4


def test_a_precision_out_of_reach_falls_back_to_the_best_f1_and_says_so():
    threshold, note = choose_threshold(Threshold(rule="min_precision", value=0.9), [0, 1, 1], [0.9, 0.8, 0.7])
    assert threshold == 0.7
    assert "max_f1, because no threshold reaches min_precision 0.9 (best 0.6667)" in note


def test_of_equally_good_thresholds_the_one_that_decides_fewest_positive_is_taken():
    # F1 is 2/3 at 0.9 (1 hit of 1) and at 0.5 (2 hits of 4).
    assert choose_threshold(Threshold(), [1, 0, 0, 1], [0.9, 0.8, 0.7, 0.5])[0] == 0.9


def test_no_positive_is_refused_except_by_a_fixed_threshold():
    with pytest.raises(ValueError, match="none of the 2 rows is positive"):
        choose_threshold(Threshold(), [0, 0], [0.1, 0.2])
    assert choose_threshold(Threshold(rule="fixed", value=0.5), [0, 0], [0.1, 0.2])[0] == 0.5


@given(ROWS, st.randoms(use_true_random=False))
def test_the_best_f1_is_the_best_of_all_thresholds_in_any_order_of_rows(rows, random):
    rows = [*rows, (1, 0.5)]
    labels, scores = (np.array(column) for column in zip(*rows, strict=True))
    chosen = choose_threshold(Threshold(), labels, scores)
    best = max(point_metrics(labels, scores, candidate)["f1"] for candidate in np.unique(scores))
    assert point_metrics(labels, scores, chosen[0])["f1"] == best
    random.shuffle(rows)
    assert choose_threshold(Threshold(), *zip(*rows, strict=True)) == chosen


@given(ROWS, st.sampled_from([0.2, 0.5, 0.8]))
def test_min_recall_is_the_highest_and_min_precision_the_lowest_threshold_that_reaches_the_value(rows, value):
    labels, scores = (np.array(column) for column in zip(*[*rows, (1, 0.5)], strict=True))
    by_candidate = {candidate: point_metrics(labels, scores, candidate) for candidate in np.unique(scores)}
    recall, _ = choose_threshold(Threshold(rule="min_recall", value=value), labels, scores)
    assert recall == max(candidate for candidate, result in by_candidate.items() if result["recall"] >= value)
    precision, note = choose_threshold(Threshold(rule="min_precision", value=value), labels, scores)
    reaching = [candidate for candidate, result in by_candidate.items() if result["precision"] >= value]
    assert ("because no threshold" in note) == (not reaching)
    if reaching:
        assert precision == min(reaching)
