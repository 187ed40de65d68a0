"""Intervals are repeatable, independent of row order, cover the true value, and are NaN if undefined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics import bootstrap
from ml_assets.core.metrics.bootstrap import day_interval, row_intervals
from ml_assets.core.metrics.classification import RowMetrics, point_metrics, sorted_rows
from ml_assets.core.metrics.resampled import point_values


def _example(rows, seed=0):
    random = np.random.default_rng(seed)
    scores = random.beta(0.5, 2, rows)
    return (random.random(rows) < scores).astype(int), scores


def test_the_seed_determines_the_intervals():
    metrics = RowMetrics(*_example(300), 0.5)
    assert row_intervals(metrics, 50, 0.9, 1) == row_intervals(metrics, 50, 0.9, 1)
    assert row_intervals(metrics, 50, 0.9, 1) != row_intervals(metrics, 50, 0.9, 2)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.5, 0.9])), min_size=1, max_size=20),
    st.randoms(use_true_random=False),
)
def test_row_order_does_not_change_intervals(rows, random):
    def intervals(shuffled):
        labels, scores = zip(*shuffled, strict=True)
        return list(row_intervals(RowMetrics(labels, scores, 0.5), 20, 0.9, 3).values())

    assert np.array_equal(intervals(rows), intervals(random.sample(rows, len(rows))), equal_nan=True)


def test_intervals_hold_the_value_and_narrow_with_more_rows():
    few, many = _example(200), _example(20_000)
    narrow, wide = (
        row_intervals(RowMetrics(*many, 0.5), 100, 0.95, 0),
        row_intervals(RowMetrics(*few, 0.5), 100, 0.95, 0),
    )
    for name, value in point_metrics(*many, 0.5).items():
        low, high = narrow[name]
        assert low < value < high
        assert high - low < (wide[name][1] - wide[name][0]) / 3


def test_the_interval_of_a_mean_agrees_with_theory():
    labels, scores = _example(2_000)
    low, high = row_intervals(RowMetrics(labels, scores, 0.5), 2_000, 0.95, 0)["brier_score"]
    losses = (scores - labels) ** 2
    error = np.std(losses) / np.sqrt(2_000)
    assert low == pytest.approx(losses.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(losses.mean() + 1.96 * error, abs=0.15 * error)


def test_higher_confidence_is_wider():
    metrics = RowMetrics(*_example(300), 0.5)
    narrow, wide = row_intervals(metrics, 200, 0.5, 0)["roc_auc"], row_intervals(metrics, 200, 0.99, 0)["roc_auc"]
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_each_draw_has_as_many_rows_and_the_last_part_is_shorter(monkeypatch):
    monkeypatch.setattr(bootstrap, "COUNTS_AT_ONCE", 30)
    parts = [part.copy() for part in bootstrap.draw_counts(rows=10, samples=7, seed=0)]
    assert [part.shape for part in parts] == [(3, 10), (3, 10), (1, 10)]
    assert (np.concatenate(parts).sum(axis=1) == 10).all()


@pytest.mark.parametrize("rows", [3, 400])
def test_kept_draws_are_those_of_the_seed(monkeypatch, rows):
    metrics = RowMetrics(*_example(rows), 0.5)
    drawn_first, kept = (row_intervals(metrics, 40, 0.9, 5) for _ in range(2))
    monkeypatch.setattr(bootstrap, "COUNTS_KEPT", 0)
    assert drawn_first == kept == row_intervals(metrics, 40, 0.9, 5)


def test_consecutive_models_with_as_many_rows_draw_once(monkeypatch):
    drawn, plain = [], bootstrap._draw
    monkeypatch.setattr(bootstrap, "_draw", lambda *arguments: drawn.append(arguments) or plain(*arguments))
    bootstrap._kept_draws.cache_clear()
    for seed_of_rows in range(3):
        row_intervals(RowMetrics(*_example(50, seed_of_rows), 0.5), 20, 0.9, 1)
    assert len(drawn) == 1


def test_an_interval_is_that_of_rows_that_are_drawn_one_by_one():
    labels, scores = _example(60)
    ordered, values = sorted_rows(labels, scores)
    random = np.random.default_rng(9)
    draws = [random.integers(0, 60, (1, 60))[0] for _ in range(100)]
    expected = [point_metrics(ordered[rows], values[rows], 0.5)["roc_auc"] for rows in draws]
    assert row_intervals(RowMetrics(labels, scores, 0.5), 100, 0.9, 9)["roc_auc"] == pytest.approx(
        bootstrap.percentile_interval(np.array(expected), 0.9)
    )


def test_a_kept_count_may_be_larger_than_a_byte(monkeypatch):
    monkeypatch.setattr(bootstrap, "_draw", lambda *_: iter([np.array([[300, 0]])]))
    bootstrap._kept_draws.cache_clear()
    assert [part.tolist() for part in bootstrap.draw_counts(2, 1, 0)] == [[[300, 0]]]
    bootstrap._kept_draws.cache_clear()


def test_a_metric_that_is_undefined_in_all_draws_has_no_interval():
    intervals = row_intervals(RowMetrics([0, 0, 0], [0.1, 0.2, 0.3], 0.5), 20, 0.9, 0)
    assert np.isnan(intervals["roc_auc"]).all()
    assert np.isnan(intervals["precision"]).all()
    assert not np.isnan(intervals["brier_score"]).any()


def test_no_rows_have_no_interval():
    assert np.isnan(list(row_intervals(RowMetrics([], [], 0.5), 20, 0.9, 0).values())).all()


def test_draws_in_which_a_metric_is_undefined_do_not_count():
    # About a third of the draws have no positive; the others find all of them.
    assert row_intervals(RowMetrics([1, 0, 0], [0.9, 0.1, 0.2], 0.5), 100, 0.9, 0)["recall"] == (1, 1)


def test_day_interval_lies_within_the_days():
    low, high = day_interval([0.2, 0.4, 0.6], 500, 0.99, 0)
    assert 0.2 <= low < 0.4 < high <= 0.6


def test_equal_days_have_an_interval_without_width():
    assert day_interval([0.5, 0.5, 0.5], 50, 0.95, 0) == (0.5, 0.5)


@pytest.mark.parametrize("daily", [[], [0.4]])
def test_fewer_than_two_days_have_no_interval(daily):
    assert np.isnan(day_interval(daily, 50, 0.95, 0)).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_calibration_error_is_within_its_interval(seed):
    random = np.random.default_rng(seed)
    scores = random.uniform(0, 1, 400)
    labels = (random.uniform(0, 1, 400) < scores).astype(int)
    metrics = RowMetrics(labels, scores, 0.5)
    low, high = row_intervals(metrics, 200, 0.95, 1)["calibration_error"]
    value = point_values(metrics)["calibration_error"]
    assert 0 <= low <= value <= high
    # Unlike the percentiles of the resamples, it is not above the value.
    assert low < value
