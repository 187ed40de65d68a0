"""Two models are compared on the same resamples: equal models have difference 0, and row order does not matter."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics.bootstrap import row_intervals
from ml_assets.core.metrics.classification import RowMetrics, point_metrics
from ml_assets.core.metrics.paired_comparison import (
    COMPARED_METRICS,
    compare_predictions,
    empty_comparison,
    measure_decisions,
)
from ml_assets.core.model_spec.types.metric_names import LOWER_IS_BETTER

ROWS = st.lists(
    st.tuples(st.integers(0, 1), *[st.integers(0, 5).map(lambda fifths: fifths / 5)] * 2), min_size=1, max_size=25
)


def example(rows: int = 2_000, noise: float = 0.0, seed: int = 0):
    """Labels, scores that are right on average, and scores with noise added."""
    random = np.random.default_rng(seed)
    scores = random.beta(0.3, 2, rows)
    return (random.random(rows) < scores).astype(int), scores, np.clip(scores + random.normal(0, noise, rows), 0, 1)


def compared(labels, model_scores, champion_scores, samples=100, thresholds=(0.5, 0.5)):
    """The comparison of two binary classifiers, by metric."""
    measures = tuple(partial(measure_decisions, threshold=threshold) for threshold in thresholds)
    scores = (model_scores, champion_scores)
    return compare_predictions(labels, scores, measures, COMPARED_METRICS, samples, 0.95, 1).set_index("metric")


def test_equal_models_have_difference_and_interval_0():
    labels, scores, _ = example()
    comparison = compared(labels, scores, scores)
    assert comparison.index.tolist() == list(COMPARED_METRICS)
    assert (comparison[["difference", "low", "high"]] == 0).all(axis=None)
    assert (comparison["rows"] == 2_000).all()


def test_values_are_those_of_each_model_with_its_own_threshold():
    labels, model_scores, champion_scores = example(noise=0.2)
    comparison = compared(labels, model_scores, champion_scores, 20, (0.5, 0.3))
    for metric in COMPARED_METRICS:
        assert comparison.loc[metric, "value"] == point_metrics(labels, model_scores, 0.5)[metric]
        assert comparison.loc[metric, "champion_value"] == point_metrics(labels, champion_scores, 0.3)[metric]


def test_above_zero_is_better_whichever_way_the_metric_points():
    labels, model_scores, champion_scores = example(noise=0.3)
    comparison, other_way = (
        compared(labels, model_scores, champion_scores),
        compared(labels, champion_scores, model_scores),
    )
    assert set(LOWER_IS_BETTER) & set(COMPARED_METRICS) == {"log_loss", "brier_score", "calibration_error"}
    # Noise makes every metric worse.
    for metric in ("roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error"):
        assert comparison.loc[metric, "low"] > 0 > other_way.loc[metric, "high"]
        assert comparison.loc[metric, "low"] <= comparison.loc[metric, "difference"] <= comparison.loc[metric, "high"]


def test_pairs_have_a_narrower_interval_than_two_models_on_rows_of_their_own():
    labels, model_scores, champion_scores = example(noise=0.05)
    comparison = compared(labels, model_scores, champion_scores)
    separate_intervals = [
        row_intervals(RowMetrics(labels, scores, 0.5), 100, 0.95, 1) for scores in (model_scores, champion_scores)
    ]
    for metric in ("roc_auc", "average_precision", "brier_score"):
        apart = sum((high - low) ** 2 for low, high in (interval[metric] for interval in separate_intervals)) ** 0.5
        assert comparison.loc[metric, "high"] - comparison.loc[metric, "low"] < apart / 2


@given(ROWS, st.randoms(use_true_random=False))
def test_row_order_does_not_change_a_single_bit(rows, random):
    def figures(shuffled):
        labels, model_scores, champion_scores = zip(*shuffled, strict=True)
        return compared(labels, model_scores, champion_scores, samples=20).to_numpy()

    assert np.array_equal(figures(rows), figures(random.sample(rows, len(rows))), equal_nan=True)


def test_a_metric_that_is_undefined_for_one_model_has_no_difference():
    comparison = compared([0, 1], [0.2, 0.7], [0.2, 0.4])
    assert np.isnan(comparison.loc["precision", ["champion_value", "difference", "low", "high"]].astype(float)).all()
    assert comparison.loc["precision", "value"] == 1


def test_scores_of_other_rows_are_refused():
    with pytest.raises(ValueError, match="the same length, not 2, 2 and 1"):
        compared([0, 1], [0.1, 0.2], [0.1], 20)


def test_an_empty_comparison_has_a_row_for_each_metric_without_figures():
    comparison = empty_comparison()
    assert comparison["metric"].tolist() == list(COMPARED_METRICS)
    assert list(comparison.columns) == list(compared([0, 1], [0.1, 0.2], [0.1, 0.2], 20).reset_index().columns)
    assert comparison.drop(columns=["metric", "rows"]).isna().all(axis=None)
