"""Row metrics equal scikit-learn's, and undefined metrics are NaN."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics.classification import RowMetrics, point_metrics, sorted_rows
from ml_assets.core.metrics.resampled import evaluate, point_values

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10).map(lambda tenths: tenths / 10)), max_size=30)
SCIKIT_LEARN_METRICS = ["roc_auc", "average_precision", "precision", "recall", "f1", "log_loss", "brier_score"]
NAMES = [*SCIKIT_LEARN_METRICS, "calibration_ratio", "calibration_error"]


def _scikit_learn_metrics(labels, scores, threshold, weights):
    from sklearn import metrics

    kept = weights > 0
    labels, scores, weights = labels[kept], scores[kept], weights[kept]
    nan, decided = float("nan"), (scores >= threshold).astype(int)
    if not len(labels):
        return dict.fromkeys(SCIKIT_LEARN_METRICS, nan)
    both = 0 < labels.sum() < len(labels)
    weighted = {"sample_weight": weights}
    return {
        "roc_auc": metrics.roc_auc_score(labels, scores, **weighted) if both else nan,
        "average_precision": metrics.average_precision_score(labels, scores, **weighted) if both else nan,
        "precision": metrics.precision_score(labels, decided, zero_division=nan, **weighted),
        "recall": metrics.recall_score(labels, decided, zero_division=nan, **weighted),
        "f1": metrics.f1_score(labels, decided, zero_division=nan, **weighted),
        "log_loss": metrics.log_loss(labels, scores, labels=[0, 1], **weighted),
        "brier_score": metrics.brier_score_loss(labels, scores, labels=[0, 1], **weighted),
    }


def _select_scikit_learn(measured):
    return {name: measured[name] for name in SCIKIT_LEARN_METRICS}


def _arrays(rows):
    return np.array([label for label, _ in rows], dtype=int), np.array([score for _, score in rows], dtype=float)


@given(ROWS, st.integers(0, 11).map(lambda tenths: tenths / 10))
def test_point_metrics_equal_scikit_learn(rows, threshold):
    labels, scores = _arrays(rows)
    expected = _scikit_learn_metrics(labels, scores, threshold, np.ones(len(rows), dtype=int))
    assert _select_scikit_learn(point_metrics(labels, scores, threshold)) == pytest.approx(
        expected, nan_ok=True, abs=1e-12
    )


@given(ROWS, st.randoms(use_true_random=False))
def test_metrics_of_counted_rows_equal_scikit_learn_with_weights(rows, random):
    labels, scores = sorted_rows(*_arrays(rows))
    counts = np.array([[random.randint(0, 3) for _ in rows] for _ in range(3)], dtype=int).reshape(3, len(rows))
    measured = evaluate(RowMetrics(labels, scores, 0.5), counts)
    for position in range(3):
        expected = _scikit_learn_metrics(labels, scores, 0.5, counts[position])
        assert _select_scikit_learn({name: values[position] for name, values in measured.items()}) == pytest.approx(
            expected, nan_ok=True, abs=1e-12
        )


@given(ROWS, st.randoms(use_true_random=False))
def test_metrics_of_rows_with_sample_weights_equal_scikit_learn(rows, random):
    labels, scores = _arrays(rows)
    weights = np.array([random.randint(1, 30) / 10 for _ in rows])
    expected = _scikit_learn_metrics(labels, scores, 0.5, weights)
    assert _select_scikit_learn(point_metrics(labels, scores, 0.5, weights)) == pytest.approx(
        expected, nan_ok=True, rel=1e-9, abs=1e-12
    )


def test_many_distinct_scores_equal_scikit_learn():
    random = np.random.default_rng(0)
    scores = random.beta(0.1, 3, 5_000)
    labels = (random.random(5_000) < scores).astype(int)
    expected = _scikit_learn_metrics(labels, scores, 0.3, np.ones(5_000, dtype=int))
    assert _select_scikit_learn(point_metrics(labels, scores, 0.3)) == pytest.approx(expected, abs=1e-12)


def test_calibration_error_without_ties_is_that_of_scikit_learn_s_quantile_bins():
    from sklearn.calibration import calibration_curve

    random = np.random.default_rng(0)
    scores = random.beta(0.5, 2, 5_000)
    labels = (random.random(5_000) < scores**1.5).astype(int)
    share, mean = calibration_curve(labels, scores, n_bins=10, strategy="quantile")
    assert point_metrics(labels, scores, 0.5)["calibration_error"] == pytest.approx(
        np.abs(share - mean).mean(), rel=1e-9
    )


def test_calibration_of_scores_that_predict_half_of_the_positives():
    random = np.random.default_rng(0)
    chance = random.uniform(0, 1, 20_000)
    labels = (random.random(20_000) < chance).astype(int)
    right, half = point_metrics(labels, chance, 0.5), point_metrics(labels, chance / 2, 0.5)
    assert right["calibration_ratio"] == pytest.approx(1, abs=0.02)
    assert half["calibration_ratio"] == pytest.approx(0.5, abs=0.01)
    assert right["calibration_error"] < 0.02
    assert half["calibration_error"] == pytest.approx(0.25, abs=0.02)


def test_rows_of_equal_score_share_a_bin_of_the_calibration_error():
    # Cut through the ties, bins of positives and of negatives would be off by one half each.
    assert point_metrics([0, 1] * 10, [0.5] * 20, 0.5)["calibration_error"] == 0


def test_rows_counted_twice_leave_calibration_as_it_is():
    random = np.random.default_rng(1)
    metrics = RowMetrics(random.integers(0, 2, 57), random.random(57), 0.5)
    for name in ("calibration_ratio", "calibration_error"):
        assert evaluate(metrics, np.full((1, 57), 2))[name][0] == pytest.approx(point_values(metrics)[name])


@given(ROWS, st.randoms(use_true_random=False))
def test_row_order_does_not_change_a_single_bit(rows, random):
    shuffled = random.sample(rows, len(rows))
    first, second = point_metrics(*_arrays(rows), 0.5), point_metrics(*_arrays(shuffled), 0.5)
    assert np.array_equal(list(first.values()), list(second.values()), equal_nan=True)


def test_score_at_the_threshold_is_decided_positive():
    assert point_metrics([0, 1], [0.2, 0.5], 0.5)["recall"] == 1


@pytest.mark.parametrize(
    ("labels", "scores", "undefined"),
    [
        ([], [], set(NAMES)),
        ([0, 0], [0.1, 0.9], {"roc_auc", "average_precision", "recall", "calibration_ratio"}),
        ([1, 1], [0.1, 0.9], {"roc_auc", "average_precision"}),
        ([0, 1], [0.1, 0.2], {"precision"}),
        ([0, 0], [0.1, 0.2], {"roc_auc", "average_precision", "precision", "recall", "f1", "calibration_ratio"}),
    ],
    ids=["no rows", "no positives", "no negatives", "no positive decision", "no positives and no positive decision"],
)
def test_undefined_metrics_are_nan_without_a_warning(labels, scores, undefined):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured = point_metrics(labels, scores, 0.5)
    assert {name for name, value in measured.items() if np.isnan(value)} == undefined


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 2], [0.1, 0.2], "labels must be 0 or 1"),
        ([0, float("nan")], [0.1, 0.2], "labels must be 0 or 1"),
        ([0, 1], [0.1, float("nan")], "1 of 2 scores"),
        ([0, 1], [1.1, -0.1], "2 of 2 scores"),
        ([0, 1], [0.1], "the same length"),
    ],
)
def test_invalid_rows_are_refused(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        point_metrics(labels, scores, 0.5)
