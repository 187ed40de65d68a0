"""Metrics of regressions equal scikit-learn's, with and without weights, and undefined metrics are NaN."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics.bootstrap import row_intervals
from ml_assets.core.metrics.regression import RegressionMetrics
from ml_assets.core.metrics.resampled import evaluate, point_values

NAN = float("nan")
QUARTERS = st.integers(-40, 40).map(lambda quarters: quarters / 4)
ROWS = st.lists(st.tuples(QUARTERS, QUARTERS, st.integers(1, 8).map(lambda eighths: eighths / 8)), max_size=25)


def _arrays(rows):
    return (np.array(column, dtype=float) for column in (zip(*rows, strict=True) if rows else ([], [], [])))


def _scikit_learn(targets, predictions, weights):
    from sklearn import metrics

    if not len(targets):
        return dict.fromkeys(["rmse", "mae", "median_absolute_error", "mape", "r2"], NAN)
    weighted, nonzero = {"sample_weight": weights}, targets != 0
    return {
        "rmse": metrics.root_mean_squared_error(targets, predictions, **weighted),
        "mae": metrics.mean_absolute_error(targets, predictions, **weighted),
        "median_absolute_error": metrics.median_absolute_error(targets, predictions, **weighted),
        "mape": metrics.mean_absolute_percentage_error(
            targets[nonzero], predictions[nonzero], sample_weight=weights[nonzero]
        )
        if nonzero.any()
        else NAN,
        "r2": metrics.r2_score(targets, predictions, **weighted) if len(set(targets)) > 1 else NAN,
    }


@given(ROWS, st.booleans())
def test_metrics_equal_scikit_learn(rows, has_weights):
    targets, predictions, weights = _arrays(rows)
    if not has_weights:
        weights = np.ones(len(weights))
    measured = point_values(RegressionMetrics(targets, predictions, weights=weights if has_weights else None))
    expected = _scikit_learn(targets, predictions, weights)
    assert {name: measured[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@given(ROWS, st.randoms(use_true_random=False))
def test_metrics_of_resampled_rows_equal_scikit_learn_with_weights(rows, random):
    targets, predictions, weights = _arrays(rows)
    metrics = RegressionMetrics(targets, predictions, weights=weights)
    counts = np.array([[random.randint(0, 3) for _ in rows] for _ in range(3)], dtype=int).reshape(3, len(rows))
    measured = evaluate(metrics, counts)
    for position in range(3):
        times = counts[position] > 0
        given_rows = metrics.order[times]
        resampled = (weights[metrics.order] * counts[position])[times]
        expected = _scikit_learn(targets[given_rows], predictions[given_rows], resampled)
        assert {name: measured[name][position] for name in expected} == pytest.approx(
            expected, rel=1e-9, abs=1e-9, nan_ok=True
        )


@given(ROWS.filter(len))
def test_pinball_loss_is_the_mean_of_scikit_learn_s_over_the_quantiles(rows):
    from sklearn.metrics import mean_pinball_loss

    targets, predictions, weights = _arrays(rows)
    quantiles = {0.1: predictions - 1, 0.5: predictions, 0.9: predictions + 2}
    measured = point_values(RegressionMetrics(targets, predictions, quantiles, weights))
    losses = [
        mean_pinball_loss(targets, values, alpha=level, sample_weight=weights) for level, values in quantiles.items()
    ]
    assert measured["pinball_loss"] == pytest.approx(np.mean(losses), rel=1e-9, abs=1e-12)
    inside = (predictions - 1 <= targets) & (targets <= predictions + 2)
    assert measured["interval_coverage"] == pytest.approx(np.average(inside, weights=weights))


def test_zeros_do_not_make_percentages_infinite():
    measured = point_values(RegressionMetrics([0, 0, 2], [0, 1, 3]))
    assert measured["mape"] == 0.5
    assert measured["smape"] == pytest.approx((0 + 2 + 0.4) / 3)
    assert np.isnan(point_values(RegressionMetrics([0, 0], [1, 2]))["mape"])


def test_a_bias_above_0_is_of_predictions_that_are_too_high():
    assert point_values(RegressionMetrics([1, 2], [2, 5]))["mean_bias"] == 2
    assert point_values(RegressionMetrics([1, 2], [2, 5], weights=[3, 1]))["mean_bias"] == 1.5


def test_metrics_of_quantiles_are_measured_with_quantiles_only():
    point = point_values(RegressionMetrics([1, 2], [2, 5]))
    single = point_values(RegressionMetrics([1, 2], [2, 5], {0.9: [2, 5]}))
    assert not {"pinball_loss", "interval_coverage"} & point.keys()
    assert "pinball_loss" in single
    assert "interval_coverage" not in single


@pytest.mark.parametrize("target", [0.1, 1e9 + 0.1, 0])
def test_r2_of_equal_targets_is_undefined(target):
    metrics = RegressionMetrics([target] * 7, [1, 2, 3, 4, 5, 6, 7])
    assert np.isnan(point_values(metrics)["r2"])
    assert np.isnan(row_intervals(metrics, 20, 0.9, 1)["r2"]).all()


def test_without_rows_every_metric_is_undefined():
    metrics = RegressionMetrics([], [], {0.1: [], 0.9: []})
    assert np.isnan(list(point_values(metrics).values())).all()
    assert np.isnan(list(row_intervals(metrics, 20, 0.9, 0).values())).all()


def test_results_do_not_depend_on_the_order_of_the_rows():
    random = np.random.default_rng(3)
    columns = random.normal(size=(4, 101))
    weights = random.random(101) + 0.1
    order = random.permutation(101)

    def measure(rows):
        targets, predictions, low, high = columns[:, rows]
        metrics = RegressionMetrics(targets, predictions, {0.2: low, 0.8: high}, weights[rows])
        return [point_values(metrics), row_intervals(metrics, 30, 0.9, 1)]

    assert measure(order) == measure(np.arange(101))


def test_intervals_hold_the_value_and_shrink_with_more_rows():
    random = np.random.default_rng(1)
    targets = random.normal(10, 3, 2_000)
    predictions = targets + random.normal(size=2_000)
    few, many = (RegressionMetrics(targets[:n], predictions[:n]) for n in (200, 2_000))
    for name, value in point_values(many).items():
        low, high = row_intervals(many, 100, 0.95, 0)[name]
        assert low <= value <= high
        wide_low, wide_high = row_intervals(few, 100, 0.95, 0)[name]
        assert wide_high - wide_low > high - low


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1, 2], [1]), "differ in length"),
        (([1, NAN], [1, 2]), "1 of 2 rows have a target or prediction that is missing or infinite"),
        (([1, 2], [1, float("inf")]), "missing or infinite"),
        (([1, 2], [1, 2], {0.5: [1, NAN]}), "missing or infinite"),
        (([1, 2], [1, 2], None, [1, 0]), "leave out rows of weight 0"),
        (([1, 2], [1, 2], None, [1]), "shape"),
    ],
)
def test_rows_that_cannot_be_measured_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        RegressionMetrics(*columns)
